"""What an endpoint tells of a job beyond its events: the numbers it chose, what it measured."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from trainerbot.finetune import RemoteJob

# Nobody names more or longer ones; an endpoint gone wrong fills no row.
MOST: Final = 40
LONGEST: Final = 60
TITLES: Final = {"general": "General questions", "held_out": "Held-out examples"}


@dataclass(frozen=True, slots=True)
class Measure:
    """Questions that the untouched and the tuned model were asked, and how many were right."""

    name: str
    asked: int
    right_before: int
    right_after: int

    @property
    def title(self) -> str:
        return TITLES.get(self.name, self.name.replace("_", " ").capitalize())

    @property
    def in_words(self) -> str:
        """What it came to, as one sentence."""
        if self.name == "general":
            return (
                f"Of {self.asked} general questions that the untouched model gets right, "
                f"it still answers {self.right_after}."
            )
        if self.name == "held_out":
            return (
                f"Of {self.asked} examples that it never saw, it answers {self.right_after} "
                f"right; the untouched model {self.right_before}."
            )
        return (
            f"{self.title}: {self.right_after} of {self.asked} right; "
            f"the untouched model {self.right_before}."
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """hyperparameters: as the endpoint told them, "auto" where it has not chosen yet."""

    hyperparameters: dict[str, Any] = field(default_factory=dict)
    measures: list[Measure] = field(default_factory=list)
    done_by: datetime | None = None


def told(remote: RemoteJob) -> dict[str, Any]:
    """What is worth keeping of a job, as JSON: names and plain numbers, and not too many."""
    finish = remote.raw.get("estimated_finish")
    return {
        "hyperparameters": {
            str(name): value
            for name, value in list(remote.hyperparameters.items())[:MOST]
            if len(str(name)) <= LONGEST and _is_plain(value)
        },
        "result": {
            str(name): {key: figures[key] for key in ("asked", "right_before", "right_after")}
            for name, figures in list(remote.result.items())[:MOST]
            if len(str(name)) <= LONGEST and _is_measure(figures)
        },
        "finish": finish if _is_count(finish) else None,
    }


def read(kept: Mapping[str, Any] | None) -> Outcome:
    """What `told` kept; nothing for a job of which nothing was kept."""
    if not kept:
        return Outcome()
    measures = [Measure(name, **figures) for name, figures in kept["result"].items()]
    return Outcome(kept["hyperparameters"], measures, _moment(kept["finish"]))


def _moment(unix_s: int | None) -> datetime | None:
    try:
        return None if unix_s is None else datetime.fromtimestamp(unix_s, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _is_plain(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return len(value) <= LONGEST and "\x00" not in value
    return value is None or isinstance(value, bool) or _is_count(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def _is_measure(figures: object) -> bool:
    if not isinstance(figures, dict):
        return False
    counts = [figures.get(key) for key in ("asked", "right_before", "right_after")]
    return all(map(_is_count, counts)) and figures["asked"] > 0
