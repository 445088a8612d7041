"""Cells as text that a person would have typed, and as JSON."""

import datetime
import decimal
import math
from typing import Any


def as_text(value: object) -> str:
    """Return a cell as a person would type it: 3 for 3.0, 2026-01-31, 14:05, TRUE."""
    match value:
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
        case datetime.datetime():
            if value.timetz() == datetime.time():
                return value.date().isoformat()
            return value.isoformat(" ", _precision(value))
        case datetime.time():
            return value.isoformat(_precision(value))
        case datetime.timedelta():
            seconds = round(value.total_seconds())
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        case _:
            return str(value)


def as_json(value: Any) -> Any:
    """Return a value of a typed table as JSON has it: dates and decimals as text, NaN as null.

    Raises NulCharacter, and UnicodeDecodeError for bytes that are not UTF-8.
    """
    match value:
        case str():
            if "\0" in value:
                raise NulCharacter
            return value
        case None | bool() | int():
            return value
        case float():
            if math.isnan(value):
                return None
            return value if math.isfinite(value) else str(value)
        case bytes():
            return as_json(value.decode())
        case dict():
            return {as_text(as_json(key)): as_json(inner) for key, inner in value.items()}
        case list():
            return [as_json(inner) for inner in value]
        case tuple():
            return [as_json(inner) for inner in value]
        case decimal.Decimal():
            return format(value, "f")
        case _:
            return as_text(value)


class NulCharacter(Exception):
    """A text with a NUL, which databases cannot hold."""


def _precision(value: datetime.datetime | datetime.time) -> str:
    if value.microsecond:
        return "auto"
    return "seconds" if value.second else "minutes"
