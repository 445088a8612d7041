"""Promoted, tried by a few, tried unseen, rolled back: each a row of the history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Q, QuerySet

from dashboard.models import Alias, Promotion, Release
from dashboard.services import assistant, audit, storage
from dashboard.services.access import Person
from dashboard.services.releases import gate
from dashboard.services.releases.aliases import announce
from dashboard.services.routing import name_in
from trainerbot.errors import Conflict, InvalidInput

Action = Promotion.Action
MOST_PROMPT: Final = 20_000  # characters
MOST_WHY: Final = 2_000
MOST_NAME: Final = 200


@transaction.atomic
def draft(
    alias: Alias,
    *,
    model: str,
    system_prompt: str = "",
    temperature: float | None = None,
    max_tokens: int | None = None,
) -> Release:
    """Make a release; the one that is there already for the same model, prompt and settings.

    Nothing changes for anybody until it is promoted. Raises InvalidInput in words.
    """
    _locked(alias)
    model, system_prompt = model.strip(), system_prompt.strip()
    if name_in(model):
        raise InvalidInput("A release names a model, not another name.")
    if not model or len(model) > MOST_NAME or not model.isprintable():
        raise InvalidInput(f"The name of a model has 1 to {MOST_NAME} letters, digits and signs.")
    if len(system_prompt) > MOST_PROMPT:
        raise InvalidInput(f"The prompt has {MOST_PROMPT:,} characters at most.")
    storage.check_text(system_prompt, what="The prompt")
    if max_tokens is not None and not 1 <= max_tokens <= assistant.MOST_TOKENS:
        raise InvalidInput(f"The longest answer has 1 to {assistant.MOST_TOKENS:,} tokens.")
    if temperature is not None and not 0 <= temperature <= 2:
        raise InvalidInput("The temperature is a number from 0 to 2.")
    wanted = {
        "model": model,
        "system_prompt": system_prompt,
        "temperature": temperature,
        "max_tokens": max_tokens,
    }
    same = alias.releases.filter(**wanted).order_by("-number").first()
    if same is not None:
        return same
    newest = alias.releases.aggregate(number=Max("number"))["number"] or 0
    return Release.objects.create(alias=alias, number=newest + 1, **wanted)


def promote(
    release: Release, *, actor: User | Person | None, why: str = "", override: bool = False
) -> Promotion:
    """Let a release answer everybody who asks for its name, from the next message on.

    A canary or shadow of the same release ends. override: although the gate
    objects, which needs a reason. Raises Conflict, with the objections in
    words, and when it answers already; InvalidInput for an override without a reason.
    """
    objections, why = _heard(release, why=why, override=override)
    with transaction.atomic():
        alias = _locked(release)
        if alias.stable_id == release.pk:
            raise Conflict(f"{release} answers already.")
        if alias.stable_id != release.alias.stable_id:
            raise Conflict(f"{alias.stable} was promoted meanwhile. Look at it again.")
        previous, alias.stable = alias.stable, release
        _end_trials(alias, release)
        return _moved(
            alias, Action.PROMOTE, release, previous, actor=actor, why=why, objections=objections
        )


def _heard(release: Release, *, why: str, override: bool) -> tuple[list[str], str]:
    """What the gate has against a release, and the reason why it is released all the same.

    Asked before anything is locked, since to read all tests takes a while and
    others want to write. Raises Conflict and InvalidInput as `promote` does.
    """
    why = _reason(why)
    release.alias = Alias.objects.select_related("stable").get(pk=release.alias_id)
    objections = [] if release.alias.stable_id == release.pk else gate.objections(release)
    if objections and not override:
        hint = ["Test it first."] if gate.is_untested(release) else []
        raise Conflict(" ".join([f"{release.model} is not released.", *objections, *hint]))
    if objections and not why:
        raise InvalidInput("Say why it shall answer although its tests object.")
    return objections, why


@transaction.atomic
def roll_back(
    alias: Alias, *, actor: User | Person | None, why: str = "", to: Release | None = None
) -> Promotion:
    """Let the release answer again that did before; or `to`, one that once did.

    No gate is asked, since what goes wrong must end at once; canary and shadow
    end as well. Raises Conflict when there is none before.
    """
    alias = _locked(alias)
    target = to or before(alias)
    if target is None:
        raise Conflict(f"Nothing answered under {alias} before {alias.stable or 'now'}.")
    if target.pk == alias.stable_id:
        raise Conflict(f"{target} answers already.")
    if not _answered(alias).filter(Q(release=target) | Q(previous=target)).exists():
        raise InvalidInput(f"{target} never answered everybody. Promote it.")
    why = _reason(why)
    previous, alias.stable = alias.stable, target
    ended = ((Action.STOP_CANARY, alias.canary), (Action.STOP_SHADOW, alias.shadow))
    alias.canary, alias.canary_percent = None, 0
    alias.shadow, alias.shadow_percent = None, 0
    for action, release in ended:
        if release is not None:
            _moved(alias, action, release, None, actor=actor, why=why, percent=0)
    return _moved(alias, Action.ROLL_BACK, target, previous, actor=actor, why=why)


def start_canary(
    release: Release,
    *,
    percent: int,
    actor: User | Person | None,
    why: str = "",
    override: bool = False,
) -> Promotion:
    """Let a release answer so many of a hundred people, always the same ones. Or change how many.

    The gate is asked as for everybody.
    """
    with transaction.atomic():
        _check_share(_locked(release), release, percent, most=99)
    objections, why = _heard(release, why=why, override=override)
    with transaction.atomic():
        alias = _locked(release)
        _check_share(alias, release, percent, most=99)
        if (alias.canary_id, alias.canary_percent) == (release.pk, percent):
            raise Conflict(f"{release} answers {percent} of 100 already.")
        previous = alias.canary if alias.canary_id != release.pk else None
        alias.canary, alias.canary_percent = release, percent
        return _moved(
            alias,
            Action.CANARY,
            release,
            previous,
            actor=actor,
            why=why,
            percent=percent,
            objections=objections,
        )


@transaction.atomic
def stop_canary(alias: Alias, *, actor: User | Person | None, why: str = "") -> Promotion:
    """Let the stable release answer everybody again."""
    alias = _locked(alias)
    ended = alias.canary
    if ended is None:
        raise Conflict(f"{alias} has no canary.")
    alias.canary, alias.canary_percent = None, 0
    return _moved(alias, Action.STOP_CANARY, ended, None, actor=actor, why=_reason(why), percent=0)


@transaction.atomic
def start_shadow(
    release: Release, *, percent: int, actor: User | Person | None, why: str = ""
) -> Promotion:
    """Ask a release as well, at so many of a hundred questions, without anybody seeing it."""
    alias = _locked(release)
    _check_share(alias, release, percent, most=100)
    if (alias.shadow_id, alias.shadow_percent) == (release.pk, percent):
        raise Conflict(f"{release} is asked {percent} of 100 questions already.")
    previous = alias.shadow if alias.shadow_id != release.pk else None
    alias.shadow, alias.shadow_percent = release, percent
    return _moved(
        alias, Action.SHADOW, release, previous, actor=actor, why=_reason(why), percent=percent
    )


@transaction.atomic
def stop_shadow(alias: Alias, *, actor: User | Person | None, why: str = "") -> Promotion:
    """Ask the shadow no more; what it answered stays."""
    alias = _locked(alias)
    ended = alias.shadow
    if ended is None:
        raise Conflict(f"{alias} has no shadow.")
    alias.shadow, alias.shadow_percent = None, 0
    return _moved(alias, Action.STOP_SHADOW, ended, None, actor=actor, why=_reason(why), percent=0)


def _locked(of: Alias | Release) -> Alias:
    """The alias, for this transaction alone to change."""
    pk = of.pk if isinstance(of, Alias) else of.alias_id
    # Nothing is joined to it: PostgreSQL reads a row anew that it has waited for, but not what
    # is joined, so that a release promoted meanwhile would seem to be none.
    found = Alias.objects.select_for_update().filter(pk=pk).first()
    if found is None:
        raise Conflict("This name was deleted meanwhile.")
    return found


def before(alias: Alias) -> Release | None:
    """What a rollback lets answer again: what was there before the present one was promoted.

    Back and back again, since what was rolled back from is not gone back to:
    after A, B, A it is B, then A, then nothing.
    """
    stood: list[int] = []
    moves = _answered(alias).order_by("pk").values_list("action", "release", "previous")
    for action, pk, previous in moves:
        if not stood and previous is not None:
            stood.append(previous)
        if action == Action.ROLL_BACK and pk in stood:
            del stood[len(stood) - stood[::-1].index(pk) :]
        else:
            stood.append(pk)
    if len(stood) < 2:
        return None
    return Release.objects.filter(pk=stood[-2]).first()


def _answered(alias: Alias) -> QuerySet[Promotion]:
    """When what answers everybody changed, the newest first."""
    return alias.promotions.filter(action__in=(Action.PROMOTE, Action.ROLL_BACK)).order_by("-pk")


def _end_trials(alias: Alias, release: Release) -> None:
    if alias.canary_id == release.pk:
        alias.canary, alias.canary_percent = None, 0
    if alias.shadow_id == release.pk:
        alias.shadow, alias.shadow_percent = None, 0


def _check_share(alias: Alias, release: Release, percent: int, *, most: int) -> None:
    if alias.stable is None:
        raise Conflict(f"Nothing answers under {alias} yet. Promote {release.model} first.")
    if alias.stable_id == release.pk:
        raise Conflict(f"{release} answers everybody already.")
    if not 1 <= percent <= most:
        raise InvalidInput(f"The share is 1 to {most} of a hundred.")


def _reason(why: str) -> str:
    why = why.strip()
    if len(why) > MOST_WHY:
        raise InvalidInput(f"The reason has {MOST_WHY:,} characters at most.")
    storage.check_text(why, what="The reason")
    return why


def _moved(
    alias: Alias,
    action: str,
    release: Release,
    previous: Release | None,
    *,
    actor: User | Person | None,
    why: str,
    percent: int = 100,
    objections: Sequence[str] = (),
) -> Promotion:
    alias.save()
    user = actor.user if isinstance(actor, Person) else actor
    name = actor.name if isinstance(actor, Person) else user.get_username() if user else ""
    promotion = Promotion.objects.create(
        alias=alias,
        action=action,
        release=release,
        previous=previous,
        percent=percent,
        why=why,
        objections=list(objections),
        actor=user,
        actor_name=name or "command line",
    )
    audit.record(
        actor,
        f"release.{action.replace(' ', '_')}",
        str(alias),
        model=release.model,
        number=release.number,
        percent=percent,
        overridden=len(objections),
        why=why[:200],
    )
    announce(alias)
    return promotion
