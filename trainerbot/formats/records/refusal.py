"""Why one record cannot be used, and how its texts are asked for."""

from collections.abc import Mapping
from typing import Any

from trainerbot.formats.report import Problem, of_key, of_line


class Refused(Exception):
    """One record cannot become one of ours; never leaves this package.

    `key` is empty where the whole record is meant.
    """

    def __init__(self, key: str, code: str, text: str) -> None:
        super().__init__(text)
        self.key, self.code, self.text = key, code, text

    def as_problem(self, line: int) -> Problem:
        if self.key:
            return of_key(line, self.key, self.code, self.text)
        return of_line(line, self.code, self.text)


def required_text(record: Mapping[str, Any], key: str) -> str:
    """Return the text under `key`, which must be there and say something."""
    if record.get(key) is None:
        raise Refused(key, "message_missing_key", f'The record has no "{key}".')
    text = optional_text(record, key)
    if not text.strip():
        raise Refused(key, "missing_content", "This text is empty.")
    return text


def optional_text(record: Mapping[str, Any], key: str) -> str:
    """Return the text under `key`; "" where there is none."""
    value = record.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(key, "data_type", "It must be a string.")
    return value


def first_key(record: Mapping[str, Any], *keys: str) -> str | None:
    """Return the first of `keys` under which the record holds something."""
    return next((key for key in keys if record.get(key) is not None), None)


def required_flag(record: Mapping[str, Any], key: str) -> bool:
    """Return the true or false under `key`."""
    value = record.get(key)
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return value == 1
    raise Refused(key, "data_type", "It must be true or false: whether the answer was wanted.")
