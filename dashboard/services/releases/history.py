"""What changed under a name, as a person reads it, and how a canary does beside the stable one."""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import Avg, Count, Q, Sum
from django.utils.timezone import now

from dashboard.models import Alias, Message, Promotion, Release

Action = Promotion.Action
WATCHED_FOR = timedelta(days=7)
EMPTY = "as the place has it"


@dataclass(frozen=True, slots=True)
class Changed:
    """One thing that was other before."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Told:
    """One row of the history, with what it changed."""

    promotion: Promotion
    changes: list[Changed]


def told(alias: Alias, promotions: Sequence[Promotion]) -> list[Told]:
    """Some rows of its history, each with the difference to what was in its place before.

    A canary or shadow that took nobody's place differs from what answered
    everybody then. Of the first one, and of an end, there is no difference.
    """
    answered = list(
        alias.promotions.filter(action__in=(Action.PROMOTE, Action.ROLL_BACK))
        .order_by("pk")
        .values_list("pk", "release")
    )
    pks = [pk for pk, _ in answered]
    beside = {
        row.pk: answered[at - 1][1]
        for row in promotions
        if row.previous is None
        and row.action in (Action.CANARY, Action.SHADOW)
        and (at := bisect_left(pks, row.pk))
    }
    stable = Release.objects.in_bulk(set(beside.values()))
    return [_told(row, row.previous or stable.get(beside.get(row.pk, 0))) for row in promotions]


def _told(promotion: Promotion, old: Release | None) -> Told:
    new = promotion.release
    if old is None:
        return Told(promotion, [])
    pairs = [
        ("Model", old.model, new.model),
        ("Persona", old.system_prompt or EMPTY, new.system_prompt or EMPTY),
        ("Temperature", _number(old.temperature), _number(new.temperature)),
        ("Longest answer", _number(old.max_tokens), _number(new.max_tokens)),
    ]
    return Told(
        promotion,
        [Changed(name, one, other) for name, one, other in pairs if one != other],
    )


def _number(value: float | None) -> str:
    return EMPTY if value is None else f"{value:g}"


@dataclass(frozen=True, slots=True)
class Watched:
    """How one release did with its people in the last week."""

    role: str
    release: Release
    percent: int
    n_answers: int
    n_failed: int
    n_good: int
    n_bad: int
    n_corrected: int
    mean_ms: float | None
    cost_usd: Decimal | None


def watched(alias: Alias) -> list[Watched]:
    """The stable release and its canary side by side; nothing without a canary."""
    if alias.stable is None or alias.canary is None:
        return []
    return [
        _watched("stable", alias.stable, 100 - alias.canary_percent),
        _watched("canary", alias.canary, alias.canary_percent),
    ]


def _watched(role: str, release: Release, percent: int) -> Watched:
    answers = Message.objects.filter(
        role=Message.Role.ASSISTANT,
        reply_to__release=release,
        created_at__gte=now() - WATCHED_FOR,
    )
    figures = answers.aggregate(
        n=Count("pk"),
        failed=Count("pk", filter=~Q(error="")),
        ms=Avg("total_ms", filter=Q(error="", correction=None)),
        usd=Sum("cost_usd"),
    )
    thumbs = answers.aggregate(
        good=Count("feedback", filter=Q(feedback__rating=1)),
        bad=Count("feedback", filter=Q(feedback__rating=-1)),
    )
    return Watched(
        role=role,
        release=release,
        percent=percent,
        n_answers=figures["n"],
        n_failed=figures["failed"],
        n_good=thumbs["good"],
        n_bad=thumbs["bad"],
        n_corrected=answers.filter(corrections__isnull=False).distinct().count(),
        mean_ms=figures["ms"],
        cost_usd=figures["usd"],
    )


def answers_to(question_ids: Collection[int]) -> dict[int, Message]:
    """What people were answered, by the id of their question."""
    rows = Message.objects.filter(reply_to__in=question_ids, role=Message.Role.ASSISTANT).order_by(
        "pk"
    )
    return {row.reply_to_id: row for row in rows if row.reply_to_id is not None}
