"""A replacement: asked the same tests as the model whose place it is to take, and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Q

from dashboard.models import Alias, DiscordGuild, PlaceSettings, Release, SuiteVersion, Verdict
from dashboard.services import places, releases, routing, suites, verdicts
from dashboard.services.access import Person
from trainerbot.errors import InvalidInput, NotFound

LONGEST_NAME: Final = 200
SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What a trial would ask. n_asked: questions to both models, without what was asked before.

    usd: what they are expected to cost; None where a price is not known.
    """

    versions: Sequence[SuiteVersion]
    n_asked: int
    usd: Decimal | None


def aliases_of(model: str) -> list[Alias]:
    """The names under which it answers everybody or a share: each may get its replacement."""
    answering = Q(stable__model=model) | Q(canary__model=model)
    return list(Alias.objects.filter(answering).select_related("stable", "canary").order_by("name"))


def plan(old: str, new: str, *, alias: Alias | None = None) -> Plan:
    """Which tests there are, and what is left to ask. Raises InvalidInput as `begin` does."""
    old, new = _named(old), _named(new)
    versions, known = _versions(old, alias), places.rules().prices
    n_asked, usd = 0, Decimal(0)
    is_known = True
    like = _like(old, alias)
    for ask in verdicts.questions(versions, old, new, like=like, replaces=True):
        if ask.run is not None:
            continue
        n_asked += ask.version.n_cases
        prompt = ask.asked.system_prompt or suites.default_prompt(ask.version)
        is_judged = suites.needs_judge_model(ask.version)
        expected = suites.expected(
            ask.version,
            known,
            model=ask.asked.model,
            judge_model=releases.judge_of(ask.asked) if is_judged else "",
            system_prompt=prompt,
        ).cost_usd
        is_known = is_known and expected is not None
        usd += expected or Decimal(0)
    return Plan(versions, n_asked, usd if is_known else None)


def begin(
    old: str, new: str, *, alias: Alias | None = None, actor: User | Person | None
) -> Verdict:
    """Have both asked the same tests, with and without recall, and compared.

    alias: with the persona and settings of what answers under it, on what
    its gate asks for. Nothing changes for anybody. Raises InvalidInput, in
    words, for a model that is none, and where there is nothing to test on.
    """
    old, new = _named(old), _named(new)
    return verdicts.begin(
        base_model=old,
        tuned_model=new,
        versions=_versions(old, alias),
        margin=alias.margin if alias is not None else verdicts.MARGIN,
        replaces=True,
        like=_like(old, alias),
        actor=actor,
    )


def find(pk: int) -> Verdict:
    """Raises NotFound."""
    rows = Verdict.objects.filter(replaces=True).select_related("task", "alias__stable")
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such trial.")
    return found


def latest(old: str) -> list[Verdict]:
    """What was tried in the place of a model, the newest first."""
    rows = Verdict.objects.filter(replaces=True, base_model=old).select_related("alias")
    return list(rows.order_by("-pk")[:SHOWN])


def _versions(old: str, alias: Alias | None) -> list[SuiteVersion]:
    """What the alias's gate asks for; else all corrections where the model answers, and the suites."""
    found = releases.versions(alias) if alias is not None else []
    if any(version.suite.kind != version.suite.Kind.CORRECTIONS for version in found):
        return found
    here = PlaceSettings.objects.filter(model=old).values_list("guild", flat=True)
    for guild in DiscordGuild.objects.filter(pk__in=here).order_by("pk"):
        if suites.corrections_in_force(guild).exists():
            found.append(suites.corrections_suite(guild))
    named = {version.pk for version in found}
    return found + [version for version in verdicts.tests() if version.pk not in named]


def _like(old: str, alias: Alias | None) -> Release | None:
    """The release of an alias whose place is taken."""
    if alias is None:
        return None
    alias = Alias.objects.select_related("stable", "canary").get(pk=alias.pk)
    answering = [row for row in (alias.stable, alias.canary) if row is not None]
    return next((row for row in answering if row.model == old), alias.stable)


def _named(model: str) -> str:
    model = model.strip()
    if not model or len(model) > LONGEST_NAME or not model.isprintable():
        raise InvalidInput("Name the model that is to take its place.")
    if routing.name_in(model):
        raise InvalidInput("A model takes a model's place, not a name such as @support.")
    return model
