"""Lines of a JSONL file, read one at a time, and the reason why one cannot be used."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple

from trainerbot.formats.recognition import BOM, HEAD_BYTES, refuse_file
from trainerbot.formats.report import Problem, of_file, of_line

MAX_LINE_BYTES: Final = 16 * 1024 * 1024
"""Longer lines are refused, so that one file cannot take the machine's memory."""

MAX_DEPTH: Final = 64
"""Deepest nesting of lists and objects; what later writes the row recurses too."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Line(NamedTuple):
    """One line that is not blank: its number from 1, and its bytes without the line end."""

    number: int
    raw: bytes


def read_lines(file: BinaryIO, *, is_jsonl: bool = False) -> Iterator[Line | Problem]:
    """Yield the lines of `file` that are not blank, and a Problem for each that is too long.

    `file` must be seekable and stand at its beginning. When it cannot be JSONL
    at all (another encoding, an archive, CSV, a JSON array, empty), the one
    Problem that says so is all that comes; `is_jsonl` spares that look at it.
    At most MAX_LINE_BYTES are held.
    """
    head = file.read(HEAD_BYTES)
    if not is_jsonl and (refusal := refuse_file(head)):
        yield refusal
        return
    file.seek(len(BOM) if head.startswith(BOM) else 0)
    number = 0
    blank = True
    while raw := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n"):
            blank = False
            while (more := file.readline(HEAD_BYTES)) and not more.endswith(b"\n"):
                pass
            yield too_long(number)
        elif stripped := raw.strip():
            blank = False
            yield Line(number, stripped)
    if blank:
        yield empty()


def empty() -> Problem:
    """Return what is said of a file with nothing but white space in it."""
    return of_file("empty_file", "This file is empty. It needs at least one example.")


def too_long(number: int) -> Problem:
    """Return what is said of a line of more than MAX_LINE_BYTES."""
    return of_line(
        number,
        "line_too_long",
        f"longer than {MAX_LINE_BYTES // 2**20} MiB. Split this example into shorter ones.",
    )


def parse_object(line: Line) -> dict[str, Any] | Problem:
    """Return the JSON object that a line holds, or the exact reason why it holds none.

    As strict as `parse_value`.
    """
    record = parse_value(line)
    if isinstance(record, dict | Problem):
        return record
    return of_line(
        line.number,
        "data_type",
        f"each line must hold one JSON object, this one holds {_kind_of(record)}.",
    )


def parse_value(line: Line) -> dict[str, Any] | list[Any] | str | float | bool | Problem | None:
    """Return what a line holds as JSON, or the exact reason why it cannot be used.

    Slower than msgspec and stricter: a key given twice, NaN, a lone surrogate
    and a NUL character are refused too, because what stores the row could not
    give it back as it came.
    """
    number, raw = line
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = error.start + 1
        return Problem(
            number,
            "invalid_encoding",
            f"Invalid file format. Line {number}, byte {byte}: not UTF-8 "
            f"(0x{raw[error.start]:02X}). Save the file as UTF-8 and try again.",
            column=byte,
        )
    try:
        record: dict[str, Any] | list[Any] | str | float | bool | None = json.loads(
            text,
            object_pairs_hook=_object_of_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
        )
    except json.JSONDecodeError as error:
        if b"\r" in raw and error.msg == "Extra data":
            return of_line(
                number,
                "invalid_json",
                "several rows in one line, kept apart by carriage returns alone (old Mac line "
                "ends). Save the file with line feeds.",
                column=error.colno,
            )
        return of_line(number, "invalid_json", f"not valid JSON ({error.msg}).", column=error.colno)
    except _Unusable as error:
        return of_line(number, error.code, str(error))
    except RecursionError:
        return _too_deep(number)
    except ValueError:  # Python's own limit on the digits of a whole number
        return of_line(number, "invalid_json", "a number has too many digits.")
    if _depth_exceeds(record, MAX_DEPTH):
        return _too_deep(number)
    if "\\u" in text and (complaint := _unusable_text(record)) is not None:
        return of_line(number, *complaint)
    return record


class _Unusable(Exception):
    """Valid to Python's parser, but not what anybody meant to say."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def _object_of_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Unusable("duplicate_key", f'the key "{key}" is given twice in one object.')
            seen.add(key)
    return made


def _refuse_constant(name: str) -> None:
    raise _Unusable("invalid_json", f"{name} is not valid JSON; use null or a number.")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _Unusable("invalid_json", "a number is too large.")
    return number


def _too_deep(number: int) -> Problem:
    return of_line(
        number,
        "too_deep",
        f"lists and objects are nested more than {MAX_DEPTH} deep.",
    )


def _depth_exceeds(record: object, limit: int) -> bool:
    """Say whether `record` nests deeper than `limit`, level by level and without recursion."""
    level = [record]
    for _ in range(limit + 1):
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner.extend(value.values())
            elif isinstance(value, list):
                inner.extend(value)
        if not inner:
            return False
        level = inner
    return any(isinstance(value, dict | list) for value in level)


def _unusable_text(record: object) -> tuple[str, str] | None:
    """Return code and complaint when a \\u escape made what no text column can hold."""
    waiting = [record]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str):
            if "\0" in value:
                return (
                    "nul_character",
                    "a NUL character (\\u0000), which databases cannot hold. Remove it.",
                )
            if _SURROGATE.search(value):
                return (
                    "lone_surrogate",
                    "half of a character (a lone surrogate, \\ud800 to \\udfff). An emoji was "
                    "cut in two; write it whole.",
                )
    return None


def _kind_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "a number"
