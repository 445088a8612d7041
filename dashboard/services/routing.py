"""Who gets which release of an alias: asked at each turn, so it reads no row.

What answers under an alias, `services.releases` changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from dashboard.models import Alias, ShadowAnswer
from dashboard.services import tasks
from trainerbot.errors import InvalidInput, ProviderUnavailable

if TYPE_CHECKING:
    from dashboard.models import Message, Release
    from dashboard.services.places import Place, Rules

SIGN: Final = "@"
SHADOW: Final = "shadow"  # the task's kind
LAST: Final = -10  # of what waits: nobody waits for it
MOST_NAME: Final = 200
MOST_WAITING: Final = 200  # a shadow that is slower than the questions come skips some


def name_in(model: str) -> str:
    """The alias that a model's name stands for, or "" for a model of an endpoint.

    Some endpoints have models such as "@cf/meta/llama": an alias has no slash.
    """
    return model[1:] if model.startswith(SIGN) and "/" not in model else ""


def share(of: object, who: str) -> int:
    """0 to 99: where somebody stands among a hundred. The same at each turn, and in any process.

    of: what is shared out, so that it is not always the same people who try things.
    """
    return int.from_bytes(sha256(f"{of}:{who}".encode()).digest()[:8]) % 100


def route(place: Place, *, aliases: Mapping[str, Alias], who: str) -> Place:
    """The place as its alias has it for this person; as it is where it names a model.

    who: such as "discord:123"; whoever is in a canary stays in it while its
    share grows, and "" is never in one. What a release leaves empty is as the
    place has it.
    Raises ProviderUnavailable, in words, for a name under which nothing answers.
    """
    name = name_in(place.model)
    if not name:
        return place
    return as_released(place, _release(aliases.get(name), name, who))


def as_released(place: Place, release: Release) -> Place:
    """The place as a release has it; what that leaves empty stays as it is."""
    return replace(
        place,
        model=release.model,
        system_prompt=release.system_prompt or place.system_prompt,
        temperature=place.temperature if release.temperature is None else release.temperature,
        max_tokens=release.max_tokens or place.max_tokens,
        release_id=release.pk,
    )


def _release(alias: Alias | None, name: str, who: str) -> Release:
    if alias is None or alias.stable is None:
        raise ProviderUnavailable(
            f"Nothing answers under the name {SIGN}{name} yet. "
            "An admin can promote a model there, or choose another one here."
        )
    if alias.canary is not None and who and share(alias.pk, who) < alias.canary_percent:
        return alias.canary
    return alias.stable


def names() -> list[str]:
    """The aliases that can be asked for, as places name them."""
    found = Alias.objects.filter(stable__isnull=False).order_by("name")
    return [SIGN + name for name in found.values_list("name", flat=True)]


def check_named(model: str) -> None:
    """Raise InvalidInput, in words, for an alias under which nothing answers yet."""
    name = name_in(model)
    if name and not Alias.objects.filter(name=name, stable__isnull=False).exists():
        raise InvalidInput(
            f"Nothing answers under the name {SIGN}{name}. Promote a model there first, on the "
            "Releases page."
        )


def check_judge(model: str) -> None:
    """Raise InvalidInput, in words, for what cannot judge: a name, or what no model is called."""
    if name_in(model):
        raise InvalidInput(
            f"A model judges, not a name such as {model}: what answers under it may change, and "
            "its verdicts with it."
        )
    if model and (len(model) > MOST_NAME or not model.isprintable()):
        raise InvalidInput(f"The name of a judge model has {MOST_NAME} letters, digits and signs.")


def note_shadow(question: Message, *, rules: Rules) -> None:
    """Have the shadow of the release that answered asked too, if its share says so.

    For whoever has just logged an answer, in the same transaction.
    """
    answered = question.release_id
    if answered is None:
        return
    alias = next(
        (each for each in rules.aliases.values() if answered in (each.stable_id, each.canary_id)),
        None,
    )
    if alias is None or alias.shadow is None or alias.shadow_id == answered:
        return
    if share(f"shadow {alias.pk}", str(question.pk)) >= alias.shadow_percent:
        return
    waiting = ShadowAnswer.objects.filter(answer="", error="")
    if waiting[MOST_WAITING - 1 : MOST_WAITING].exists():
        return
    row = ShadowAnswer.objects.create(question=question, release=alias.shadow)
    tasks.submit(SHADOW, args={"id": row.pk}, priority=LAST)
