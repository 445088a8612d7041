"""Where in a line of JSON a key stands."""

import json
import re
from typing import Final

_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_BLANK: Final = re.compile(r"[ \t\n\r]*")
_read_value: Final = json.JSONDecoder().raw_decode


def column_of(text: str, key: str) -> int | None:
    """Return the column, in characters from 1, of a key like `messages[0].role` in `text`.

    That of the key's first quote, or of the first character of a list's
    element. None when there is no such place, or when the key's own name has
    dots or brackets, which could mean another place. `text` must be valid JSON.
    """
    steps = _STEP.findall(key)
    if "".join(f".{name}" if name else f"[{index}]" for name, index in steps) != f".{key}":
        return None
    found: int | None = None
    at = _next(text, 0)
    for name, index in steps:
        place = _find_key(text, at, name) if name else _find_element(text, at, int(index))
        if place is None:
            return None
        found, at = place
    return None if found is None else found + 1


def _next(text: str, at: int) -> int:
    """Return the place of the first character from `at` on that is no white space."""
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _find_key(text: str, at: int, name: str) -> tuple[int, int] | None:
    """Return where the key `name` and its value begin in the object that begins at `at`."""
    if text[at : at + 1] != "{":
        return None
    at = _next(text, at + 1)
    while text[at] == '"':
        found, end = _read_value(text, at)
        value = _next(text, _next(text, end) + 1)
        if found == name:
            return at, value
        at = _next(text, _read_value(text, value)[1])
        at = _next(text, at + 1) if text[at] == "," else at
    return None


def _find_element(text: str, at: int, index: int) -> tuple[int, int] | None:
    """Return where the element `index` begins, twice, in the list that begins at `at`."""
    if text[at : at + 1] != "[":
        return None
    at = _next(text, at + 1)
    for _ in range(index):
        if text[at] == "]":
            return None
        at = _next(text, _read_value(text, at)[1])
        if text[at] != ",":
            return None
        at = _next(text, at + 1)
    return None if text[at] == "]" else (at, at)
