"""On which day a model is switched off: as its endpoint told the worker, or announced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db import transaction
from django.utils.timezone import now

from dashboard.models import FineTuneJob, Retirement, Task
from dashboard.services import outbox, providers
from trainerbot.endpoints import Endpoint, ModelInfo
from trainerbot.llm import retiring

TOPIC: Final = "retirements"
KIND: Final = "retirements"
LONGEST_NAME: Final = 200
MOST_LOOKS: Final = 4  # of the worker, the newest: one may have found the endpoint silent


@dataclass(frozen=True, slots=True)
class Last:
    """The day on which a model is switched off. root: it, or the base model whose day it shares."""

    day: date
    root: str

    def days_left(self, today: date) -> int:
        """How many days it has left; none on its last one, less once it is gone."""
        return (self.day - today).days


class Days:
    """What is known of all models of the endpoint that answers, at one moment."""

    def __init__(self, endpoint: Endpoint | None = None) -> None:
        self._endpoint = endpoint or providers.endpoint()
        rows = Retirement.objects.filter(endpoint=self._endpoint.name)
        self._told: dict[str, date] = dict(rows.values_list("model", "day"))
        tuned = FineTuneJob.objects.exclude(fine_tuned_model="")
        self.base_by_tuned: dict[str, str] = dict(
            tuned.values_list("fine_tuned_model", "base_model")
        )

    def of(self, model: str) -> Last | None:
        """When a model is switched off; a tuned one with its base model, unless told otherwise."""
        if (day := self._own(model)) is not None:
            return Last(day, model)
        base = self.base_of(model)
        day = self._own(base) if base else None
        return None if day is None else Last(day, base)

    def base_of(self, model: str) -> str:
        """What a model was tuned from, by its job or its name; "" for a base model."""
        return self.base_by_tuned.get(model) or retiring.base_of(model)

    def _own(self, model: str) -> date | None:
        return self._told.get(model) or retiring.announced(self._endpoint.base_url, model)


def own_choice() -> str:
    """The model that the endpoint lets answer where none is chosen, as the worker last saw; or ""."""
    name = providers.endpoint().name
    looks = Task.objects.filter(kind=KIND).order_by("-pk").values_list("checkpoint", flat=True)
    seen = (look.get("own_choices", {}).get(name) for look in looks[:MOST_LOOKS])
    return next((str(model) for model in seen if model), "")


def of_training(row: ModelInfo) -> date | None:
    """The last day on which a model of the endpoint that trains can be tuned, where it is known."""
    known = (retiring.told_training(row), retiring.last_jobs(providers.endpoint().base_url))
    return min((day for day in known if day is not None), default=None)


@transaction.atomic
def keep(endpoint: str, rows: Sequence[ModelInfo]) -> bool:
    """Store what an endpoint told of its models; whether anything is other than before.

    A model that is listed without a day has none any more. One that is not
    listed at all keeps its day: it may just have been switched off.
    """
    told: Mapping[str, date | None] = {
        row.id: retiring.told(row)
        for row in rows
        if len(row.id) <= LONGEST_NAME and row.id.isprintable()
    }
    kept = {row.model: row for row in Retirement.objects.filter(endpoint=endpoint)}
    withdrawn = [name for name in kept if name in told and told[name] is None]
    Retirement.objects.filter(endpoint=endpoint, model__in=withdrawn).delete()
    days = {name: day for name, day in told.items() if day is not None}
    Retirement.objects.bulk_create(
        [
            Retirement(endpoint=endpoint, model=name, day=day, seen_at=now())
            for name, day in days.items()
        ],
        update_conflicts=True,
        unique_fields=["endpoint", "model"],
        update_fields=["day", "seen_at"],
    )
    changed = bool(withdrawn) or any(
        name not in kept or kept[name].day != day for name, day in days.items()
    )
    if changed:
        outbox.publish(TOPIC, "retirements.changed", endpoint=endpoint)
    return changed
