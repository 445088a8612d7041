"""When an endpoint switches a model off: as its row in GET /models tells, or as was announced."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from trainerbot.endpoints import ModelInfo

# Each endpoint has its own word for the last day of a model.
_TOLD: Final = (
    "shutdown_date",  # OpenAI, and our own server
    "deprecation",  # Mistral; of Azure it is an object with the words below
    "deprecation_date",
    "expiration_date",  # OpenRouter
    "retirement_date",
    "retires_at",
    "sunset_date",
)
_ANSWERS, _TRAINS = "inference", "fine_tune"  # within Azure's object
_FIRST, _LAST = date(2020, 1, 1), date(2100, 1, 1)
_LATEST_S: Final = 1e11
_PLAIN_DAY: Final = re.compile(r"20[0-9]{6}")  # as Unix seconds it would be in 1970
_DECIMAL: Final = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?")

# What was announced by endpoints whose list of models need not tell it, by their host: names
# without the day of a snapshot. OpenAI's notice of 2026-05-07 and its page of deprecations.
_OPENAI: Final = {
    "gpt-3.5-turbo": date(2026, 10, 23),
    "gpt-4.1-nano": date(2026, 10, 23),
    "o4-mini": date(2026, 10, 23),
    "gpt-4.1": date(2027, 1, 14),
    "gpt-4.1-mini": date(2027, 1, 14),
    "gpt-4o": date(2027, 1, 14),
    "gpt-4o-mini": date(2027, 1, 14),
}
_ANNOUNCED: Final[Mapping[str, Mapping[str, date]]] = {"api.openai.com": _OPENAI}
_LAST_JOBS: Final = {"api.openai.com": date(2027, 1, 6)}
_SNAPSHOT: Final = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4})$")
# Other snapshots of these names have a day of their own, which is not known to us.
_NAMED_SNAPSHOTS: Final = {"gpt-4o": ("2024-08-06", "2024-11-20")}


def told(row: ModelInfo) -> date | None:
    """Return the last day on which a model answers, as its row tells; None where it does not."""
    for name in _TOLD:
        value = row.details.get(name)
        day = _day(value.get(_ANSWERS) if isinstance(value, Mapping) else value)
        if day is not None:
            return day
    return None


def told_training(row: ModelInfo) -> date | None:
    """Return the last day on which a model can be trained, where that is told apart."""
    value = row.details.get("deprecation")
    return _day(value.get(_TRAINS)) if isinstance(value, Mapping) else None


def announced(base_url: str, model: str) -> date | None:
    """Return the day that the operator of a known endpoint announced; `model` is no tuned one."""
    known = _ANNOUNCED.get(urlsplit(base_url).hostname or "", {})
    if model in known:
        return known[model]
    snapshot = _SNAPSHOT.search(model)
    if snapshot is None:
        return None
    name = model[: snapshot.start()]
    only = _NAMED_SNAPSHOTS.get(name)
    return known.get(name) if only is None or snapshot[1] in only else None


def last_jobs(base_url: str) -> date | None:
    """Return the last day on which an endpoint takes fine-tuning jobs, where that is known."""
    return _LAST_JOBS.get(urlsplit(base_url).hostname or "")


def base_of(model: str) -> str:
    """Return what a tuned model was made of, as its name tells ("ft:base:org:name:id"), or ""."""
    return model.split(":")[1] if model.startswith("ft:") and model.count(":") > 1 else ""


def _day(value: Any) -> date | None:
    """Read Unix seconds or their thousandths, or a day or moment in ISO 8601; None for anything else.

    A moment is on the day that it has in UTC.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        text = str(value).strip()
        if _PLAIN_DAY.fullmatch(text):
            found = date.fromisoformat(text)
        elif (seconds := _number(value)) is not None:
            # Nothing ends so late: these are thousandths.
            seconds /= 1_000 if seconds > _LATEST_S else 1
            found = datetime.fromtimestamp(seconds, UTC).date()
        else:
            moment = datetime.fromisoformat(text)
            found = (moment.astimezone(UTC) if moment.tzinfo is not None else moment).date()
    except (ValueError, OverflowError, OSError):
        return None
    return found if _FIRST <= found < _LAST else None


def _number(value: float | str) -> float | None:
    if isinstance(value, str) and not _DECIMAL.fullmatch(value.strip()):
        return None
    return float(value)
