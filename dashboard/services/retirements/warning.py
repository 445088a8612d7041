"""What is said ahead of the day on which a model in use is switched off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.timezone import now

from dashboard.services import providers
from dashboard.services.retirements.days import TOPIC, Days, Last, of_training
from dashboard.services.retirements.using import Use, uses
from trainerbot.endpoints import ModelInfo

__all__ = ["AHEAD", "TOPIC", "Warned", "about_training", "sentence", "warned"]
AHEAD: Final = (7, 30, 90)  # days before it: who uses the model is told anew at each
MOST_TUNED: Final = 5  # are named


@dataclass(frozen=True, slots=True)
class Warned:
    """One model that is in use and has at most 90 days left, or is gone.

    level: "info", "warning" from 30 days on, "error" from 7 days on. lines:
    what needs it, each a sentence.
    """

    model: str
    day: date
    days_left: int
    level: str
    sentence: str
    lines: tuple[str, ...]
    uses: tuple[tuple[str, Use], ...] = ()

    @property
    def ahead(self) -> int:
        """Which of AHEAD it has come to."""
        return next((each for each in AHEAD if self.days_left <= each), AHEAD[-1])

    def concerns(self, guild_id: int) -> bool:
        """Whether people on this server are, or may be, answered otherwise when it is gone."""
        return any(use.concerns(guild_id) for _, use in self.uses)


def warned(*, guild_id: int | None = None) -> list[Warned]:
    """All models that are needed and soon gone, the first to go first; of one server, if named."""
    today, days = now().date(), Days()
    by_root: dict[Last, list[tuple[str, Use]]] = defaultdict(list)
    for model, its in uses().items():
        last = days.of(model)
        if last is not None and last.days_left(today) <= AHEAD[-1]:
            by_root[last] += [(model, use) for use in its]
    found = [_warned(last, its, days, today) for last, its in by_root.items()]
    found = [each for each in found if guild_id is None or each.concerns(guild_id)]
    return sorted(found, key=lambda each: (each.day, each.model))


def sentence(model: str, day: date, *, today: date | None = None) -> str:
    """When a model is switched off, to a person."""
    left = (day - (today or now().date())).days
    at = _operator()
    if left < 0:
        return f"{at} switched {model} off on {_written(day)}."
    if left == 0:
        return f"{at} switches {model} off today."
    return f"{at} switches {model} off on {_written(day)}, in {left} day{'s' if left > 1 else ''}."


def about_training(row: ModelInfo) -> list[str]:
    """What somebody should know who is about to tune this model, each a sentence."""
    found = []
    last_jobs = of_training(row)
    if last_jobs is not None:
        verb = "takes" if last_jobs >= now().date() else "took"
        found.append(f"{_operator()} {verb} fine-tunes of it until {_written(last_jobs)}.")
    last = Days().of(row.id)
    if last is not None:
        found.append(
            f"{sentence(row.id, last.day)} A model tuned from it is switched off with it: "
            "teach by corrections instead, which work with any model, or train another one."
        )
    return found


def _warned(last: Last, its: Sequence[tuple[str, Use]], days: Days, today: date) -> Warned:
    left = last.days_left(today)
    used = {model for model, _ in its}
    return Warned(
        model=last.root,
        day=last.day,
        days_left=left,
        level="error" if left <= AHEAD[0] else "warning" if left <= AHEAD[1] else "info",
        sentence=sentence(last.root, last.day, today=today),
        lines=(*lines(last.root, its), *_unused(last.root, used, days)),
        uses=tuple(its),
    )


def lines(root: str, its: Sequence[tuple[str, Use]], *, tells_places: bool = True) -> list[str]:
    """What needs a model or what was tuned from it, each a sentence."""
    named = {model: f"{model}, tuned from it," for model, _ in its if model != root}
    return [
        f"{named.get(model, 'It')} {use.words}"
        f"{f', {use.places}' if use.places and tells_places else ''}."
        for model, use in its
    ]


def _unused(root: str, used: Collection[str], days: Days) -> list[str]:
    """The tuned models that go with it and that nothing needs now."""
    rest = [
        tuned for tuned, base in days.base_by_tuned.items() if base == root and tuned not in used
    ]
    if not rest:
        return []
    more = f" and {len(rest) - MOST_TUNED} more" if len(rest) > MOST_TUNED else ""
    return [f"Tuned from it, and gone with it: {', '.join(rest[:MOST_TUNED])}{more}."]


def _operator() -> str:
    endpoint = providers.endpoint()
    return "OpenAI" if endpoint.address == "api.openai.com" else f"The endpoint {endpoint.name}"


def _written(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
