"""The names under which models answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from dashboard.models import Alias, AssistantSettings, PlaceSettings, Suite
from dashboard.services import audit, outbox, routing, storage
from dashboard.services.access import Person
from trainerbot.errors import Conflict, InvalidInput, NotFound

TOPIC: Final = "releases"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
TAKEN: Final = frozenset({"new"})  # by an address of the dashboard
MOST_NOTE: Final = 200  # characters


def get(name: str) -> Alias:
    found = (
        Alias.objects.select_related("stable", "canary", "shadow")
        .filter(name=name.removeprefix("@"))
        .first()
    )
    if found is None:
        raise NotFound("There is no such name.")
    return found


def create(name: str, *, note: str = "", actor: User | Person | None) -> Alias:
    """Make a name. Raises InvalidInput for what is none, and Conflict for one that exists."""
    name = name.strip().removeprefix("@")
    if not NAME.fullmatch(name) or name in TAKEN:
        raise InvalidInput(
            "A name has 1 to 40 small letters, digits, hyphens and underscores, such as support."
        )
    if len(note) > MOST_NOTE:
        raise InvalidInput(f"The note has {MOST_NOTE} characters at most.")
    storage.check_text(note, what="The note")
    try:
        with transaction.atomic():
            alias = Alias.objects.create(name=name, note=note.strip())
            audit.record(actor, "alias.create", str(alias))
            announce(alias)
    except IntegrityError as error:
        raise Conflict(f"The name @{name} exists already.") from error
    return alias


@transaction.atomic
def guard(
    alias: Alias,
    *,
    suites: Iterable[Suite],
    margin: float,
    judge_model: str = "",
    actor: User | Person | None,
) -> Alias:
    """Say on which general suites a new release may not do worse, and by how many of a hundred.

    judge_model: who judges their rubrics, "" for the one of the settings.
    """
    if not 0 <= margin <= 100:
        raise InvalidInput("The margin is a number from 0 to 100.")
    judge_model = judge_model.strip()
    routing.check_judge(judge_model)
    chosen = list(suites)
    alias.suites.set(chosen)
    alias.margin = margin
    alias.judge_model = judge_model
    alias.save(update_fields=["margin", "judge_model", "updated_at"])
    names = ", ".join(sorted(suite.name for suite in chosen))
    audit.record(
        actor, "alias.guard", str(alias), suites=names[:200], margin=margin, judge=judge_model
    )
    announce(alias)
    return alias


@transaction.atomic
def delete(alias: Alias, *, actor: User | Person | None) -> None:
    """Forget a name with its history. Raises Conflict while any place asks for it."""
    locked = Alias.objects.select_for_update().filter(pk=alias.pk).first()
    if locked is None:
        raise NotFound("There is no such name.")
    alias = locked
    if used := places_with(alias):
        raise Conflict(f"{alias} still answers in {', '.join(used)}. Choose another model there.")
    name = str(alias)
    Alias.objects.filter(pk=alias.pk).update(
        stable=None, canary=None, canary_percent=0, shadow=None, shadow_percent=0
    )
    alias.delete()
    audit.record(actor, "alias.delete", name)
    announce(alias)


def places_with(alias: Alias) -> list[str]:
    """Where people are answered by it, in words."""
    model = str(alias)
    found = ["all places"] if AssistantSettings.objects.filter(model=model).exists() else []
    rows = PlaceSettings.objects.filter(model=model).select_related("guild", "channel")
    return found + [
        f"#{row.channel.name} on {row.guild}" if row.channel else str(row.guild) for row in rows
    ]


def guild_ids(alias: Alias) -> frozenset[int] | None:
    """The servers (our own rows) whose people are answered by it; None for all of them."""
    if AssistantSettings.objects.filter(model=str(alias)).exists():
        return None
    here = PlaceSettings.objects.filter(model=str(alias))
    return frozenset(here.values_list("guild_id", flat=True))


def announce(alias: Alias) -> None:
    """Tell open pages, and every process that answers, in the transaction of the change."""
    outbox.publish(TOPIC, "alias.changed", name=alias.name)
    outbox.publish("settings", "settings.changed")
