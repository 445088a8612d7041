"""What a file is for and how long it is kept: checked alike for files and uploads."""

from collections.abc import Mapping

import msgspec

from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.api.requests import in_range

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
_HOUR_S = 3600
_MONTH_S = 30 * 24 * _HOUR_S


class ExpiresAfter(msgspec.Struct):
    """When a file shall expire: so many seconds after it was made."""

    anchor: str
    seconds: int


def check_file(purpose: str, filename: str) -> None:
    """Raise ApiError for a purpose that is none, or a name that does not fit it."""
    if purpose not in PURPOSES:
        raise ApiError(
            f"'{purpose[:50]}' is not one of {list(PURPOSES)} - 'purpose'", param="purpose"
        )
    if purpose == "fine-tune" and not filename.lower().endswith(".jsonl"):
        raise ApiError(
            "Invalid file format for Fine-Tuning API. Must be .jsonl",
            param="file",
            code="invalid_file_format",
        )


def life_s(purpose: str, wish: ExpiresAfter | None) -> int | None:
    """Return how long the file is kept, None for ever. Raises ApiError for a wrong wish."""
    if wish is None:
        return _MONTH_S if purpose == "batch" else None
    if wish.anchor != "created_at":
        raise ApiError(
            f"Invalid value: '{wish.anchor[:50]}'. Supported values are: 'created_at'.",
            param="expires_after.anchor",
            code="invalid_value",
        )
    in_range("expires_after.seconds", wish.seconds, low=_HOUR_S, high=_MONTH_S)
    return wish.seconds


def form_wish(fields: Mapping[str, str]) -> ExpiresAfter | None:
    """Return what the fields expires_after[...] of a form say, or None. Raises ApiError."""
    given = {name: value for name, value in fields.items() if name.startswith("expires_after")}
    if not given:
        return None
    values: dict[str, str] = {}
    for part in ("anchor", "seconds"):
        name = f"expires_after[{part}]"
        if name not in given:
            raise ApiError(
                f"Missing required parameter: 'expires_after.{part}'.",
                param=f"expires_after.{part}",
                code="missing_required_parameter",
            )
        values[part] = given[name]
    seconds = values["seconds"]
    # ASCII and few digits: int() would take other scripts, and any length.
    if not (seconds.isascii() and seconds.isdecimal() and len(seconds) <= 9):
        raise ApiError(
            "Invalid type for 'expires_after.seconds': expected an integer, but got a string "
            "instead.",
            param="expires_after.seconds",
            code="invalid_type",
        )
    return ExpiresAfter(values["anchor"], int(seconds))
