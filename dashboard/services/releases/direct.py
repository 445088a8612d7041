"""What a place is told to ask: a model itself, or a name whose gate has not heard of the place yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from dashboard.models import Alias, Correction, DiscordGuild, PlaceSettings, Release, SuiteVersion
from dashboard.services import assistant, audit, routing, storage, suites
from dashboard.services.access import Person
from dashboard.services.releases import gate
from trainerbot.errors import InvalidInput

MOST_WHY = 2_000
MOST_NAMED = 3  # of what nobody has asked yet


class ReasonNeeded(InvalidInput):
    """The tests of a model object, and no reason is given that can be kept."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the tests say of a model. against: that it is bad; unknown: what nobody has asked yet."""

    against: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def heard(model: str, guild: DiscordGuild | None) -> Heard:
    """What the gate would say of a model on the corrections that count there.

    guild: None for a model that is to answer everywhere.

    What answers under a name such as @support has passed its gate, which asks
    for the corrections of the places that name it: of a place that is to name
    it now, those are still to be heard.
    """
    if not model:
        return Heard()
    name = routing.name_in(model)
    if name:
        return _heard_under(name, guild)
    release = Release(model=model)
    found = _on(release, _versions(guild))
    return Heard((*gate.about_verdicts(release), *found.against), found.unknown)


def _heard_under(name: str, guild: DiscordGuild | None) -> Heard:
    alias = Alias.objects.select_related("stable", "canary").filter(name=name).first()
    if alias is None:
        return Heard()  # for whoever saves it to refuse
    asked = {version.pk for version in gate.versions(alias)}
    new = [version for version in _versions(guild) if version.pk not in asked]
    answering = [each for each in (alias.stable, alias.canary) if each is not None]
    heard_of = [_on(release, new) for release in answering]
    return Heard(
        tuple(dict.fromkeys(said for each in heard_of for said in each.against)),
        tuple(dict.fromkeys(said for each in heard_of for said in each.unknown)),
    )


def _on(release: Release, versions: Iterable[SuiteVersion]) -> Heard:
    """What its runs over these corrections say."""
    against: list[str] = []
    unknown: list[str] = []
    versions = list(versions)
    for version in versions:
        whole = gate.run_of(release, version)
        if whole is None:
            unknown.append(f"It was not tested on {version} yet.")
        else:
            against += gate.failures(whole)
    forgot = gate.forgetting(release, versions)
    against += forgot.against
    if not unknown:  # else it is untested anyway, and that is said
        unknown += forgot.unknown
    return Heard(tuple(against), tuple(unknown))


def permit(
    model: str,
    *,
    was: str,
    guild: DiscordGuild | None,
    otherwise: str = "",
    why: str = "",
    actor: User | Person | None,
    save: Callable[[], object],
) -> str:
    """Let a place name a model: `save` it, and return what is to be said of it, or "".

    was: what it named before; nothing is asked of what stays. otherwise: what
    answers there when it names none, as `answers_without` tells. One that nobody
    tested is let through with words, so that a first model answers at once;
    one that is known to be worse needs a reason, which is audited with what
    objected, if it was saved. Raises ReasonNeeded without one, and what `save` raises.
    """
    model, was = model or otherwise, was or otherwise
    found = heard(model, guild) if model != was else Heard()
    if found.against:
        why = why.strip()
        if not why:
            raise ReasonNeeded(" ".join([f"{model} is not chosen yet.", *found.against, SAY_WHY]))
        if len(why) > MOST_WHY:
            raise ReasonNeeded(f"The reason has {MOST_WHY:,} characters at most.")
        try:
            storage.check_text(why, what="The reason")
        except InvalidInput as error:
            raise ReasonNeeded(str(error)) from error
        with transaction.atomic():
            save()
            audit.record(
                actor,
                "model.override",
                model,
                where=str(guild or "everywhere"),
                why=why[:200],
                objections=len(found.against),
            )
        return ""
    save()
    if not found.unknown:
        return ""
    more = len(found.unknown) - MOST_NAMED
    rest = [f"Nor on {more} more."] if more > 0 else []
    named = found.unknown[:MOST_NAMED]
    where = TEST_NAME.format(model) if routing.name_in(model) else TEST_IT
    return " ".join(["Nobody has tested it for this place.", *named, *rest, where])


def answers_without(place: PlaceSettings) -> str:
    """Which model answers in a place that names none itself: that of its channel, server, everywhere."""
    rows = PlaceSettings.objects.filter(guild=place.guild_id).exclude(model="")
    if place.channel is not None:
        of_parent = (
            rows.filter(channel=place.channel.parent_id) if place.channel.parent_id else None
        )
        wider = (of_parent, rows.filter(channel=None))
        for each in wider:
            row = each.first() if each is not None else None
            if row is not None:
                return row.model
    return assistant.current().model


SAY_WHY = "Say why it shall answer all the same, or choose another."
TEST_IT = "Test it under Tests, or choose a name such as @support, which has a gate."
TEST_NAME = "Have what answers there tested on the page of {}."


def _versions(guild: DiscordGuild | None) -> list[SuiteVersion]:
    """The corrections in force everywhere, and those of one guild; of all where it would answer, for None."""
    guilds = [guild] if guild is not None else _without_a_model()
    return [
        suites.corrections_suite(each)
        for each in (None, *guilds)
        if suites.corrections_in_force(each).exists()
    ]


def _without_a_model() -> Iterable[DiscordGuild]:
    """The guilds with corrections of their own that name no model: who is chosen everywhere answers them."""
    taught = Correction.objects.approved().exclude(guild=None).values("guild")
    named = PlaceSettings.objects.filter(channel=None).exclude(model="").values("guild")
    return DiscordGuild.objects.filter(pk__in=taught).exclude(pk__in=named).order_by("pk")
