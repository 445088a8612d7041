"""What needs a model: names, places, budgets, jobs, and models that were tuned from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from dashboard.models import Alias, FineTuneJob, GuildSettings, PlaceSettings
from dashboard.services import assistant, releases, routing
from dashboard.services.retirements import days

OWN_CHOICE: Final = (
    "answers everywhere, as the endpoint's own choice; when it is gone, another one will, tested "
    "or not"
)


@dataclass(frozen=True, slots=True)
class Use:
    """What one model does, as the end of a sentence that begins with its name.

    guild_ids: the servers (our own rows) that it concerns; None for all.
    places: who asks for the name under which it answers, not to be told to others.
    """

    words: str
    guild_ids: frozenset[int] | None = frozenset()
    places: str = ""

    def concerns(self, guild_id: int) -> bool:
        return self.guild_ids is None or guild_id in self.guild_ids


def uses() -> dict[str, list[Use]]:
    """All models that something needs, with what needs them. A handful of queries."""
    found: dict[str, list[Use]] = defaultdict(list)
    everywhere = assistant.current().model
    if everywhere and not routing.name_in(everywhere):
        found[everywhere].append(Use("answers everywhere, as Settings say", None))
    elif not everywhere and settings.CHAT_MODEL and not routing.name_in(settings.CHAT_MODEL):
        found[settings.CHAT_MODEL].append(Use("answers everywhere, as CHAT_MODEL says", None))
    elif not everywhere and not settings.CHAT_MODEL and (chosen := days.own_choice()):
        found[chosen].append(Use(OWN_CHOICE, None))
    for model, use in (*_of_aliases(), *_of_places(), *_of_budgets(), *_of_jobs()):
        found[model].append(use)
    return found


def _of_aliases() -> Iterable[tuple[str, Use]]:
    for alias in Alias.objects.select_related("stable", "canary", "shadow").order_by("name"):
        here, names = releases.guild_ids(alias), releases.places_with(alias)
        places = f"asked for by {', '.join(names)}" if names else "which no place asks for"
        if alias.stable is not None:
            yield alias.stable.model, Use(f"answers under {alias}", here, places)
        if alias.canary is not None:
            words = f"answers {alias.canary_percent} of 100 people under {alias}"
            yield alias.canary.model, Use(words, here, places)
        if alias.shadow is not None:
            yield alias.shadow.model, Use(f"is asked unseen under {alias}", here)
        former = releases.before(alias)
        if former is not None and (alias.stable is None or former.model != alias.stable.model):
            yield former.model, Use(f"is what {alias} can be rolled back to", here)


def _of_places() -> Iterable[tuple[str, Use]]:
    rows = PlaceSettings.objects.exclude(model="").select_related("guild", "channel")
    for row in rows.order_by("guild__name", "pk"):
        if routing.name_in(row.model):
            continue
        where = f"in #{row.channel.name} on {row.guild}" if row.channel else f"on {row.guild}"
        yield row.model, Use(f"answers {where}", frozenset({row.guild_id}))


def _of_budgets() -> Iterable[tuple[str, Use]]:
    for row in GuildSettings.objects.exclude(saving_model="").select_related("guild"):
        words = f"answers on {row.guild} where a budget runs out"
        yield row.saving_model, Use(words, frozenset({row.guild_id}))


def _of_jobs() -> Iterable[tuple[str, Use]]:
    for job in FineTuneJob.objects.unfinished().select_related("version__dataset").order_by("pk"):
        yield job.base_model, Use(f"is what job {job.pk} trains on {job.version.dataset}")
