"""What people taught, as files of training data that our own importer and OpenAI's take.

A file leaves us, so it follows the rule of a training: words from a Discord
message go out only with Discord's recorded permission, and then marked, so
that whoever imports them is asked for one of their own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q, QuerySet

from dashboard.models import Correction, Feedback, Provenance, Source
from dashboard.services import taught
from dashboard.services.trainings import permissions
from dashboard.services.trainings.picking import Why, asker_erased
from trainerbot.errors import InvalidInput
from trainerbot.formats.marks import marked
from trainerbot.formats.rows import Kind

AT_ONCE: Final = 500
NAMES: Final[Mapping[Kind, str]] = {
    Kind.CHAT: "corrections.chat.jsonl",
    Kind.PREFERENCE: "corrections.preference.jsonl",
    Kind.UNPAIRED: "feedback.unpaired.jsonl",
}
TITLES: Final[Mapping[Kind, str]] = {
    Kind.CHAT: "Chat rows",
    Kind.PREFERENCE: "Pairs",
    Kind.UNPAIRED: "Feedback",
}
_ON_DISCORD: Final = Q(message__source=Source.DISCORD)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows that a file does not hold, by reason; there is one at least."""

    title: str
    by_reason: Mapping[Why, int]

    @property
    def n(self) -> int:
        return sum(self.by_reason.values())

    @property
    def n_discord(self) -> int:
        return self.by_reason.get(Why.DISCORD, 0)

    @property
    def n_erased(self) -> int:
        return self.by_reason.get(Why.ASKER_ERASED, 0)


def kind_of(word: str) -> Kind:
    """The kind that `word` names. Raises InvalidInput for one that nothing taught has."""
    if word not in NAMES:
        raise InvalidInput("Corrections go out as chat or preference rows, feedback as unpaired.")
    return Kind(word)


def piece(kind: Kind, *, after: int) -> tuple[bytes, int]:
    """Some lines of JSONL, and the id to go on after; no lines at the end.

    chat: each question with the answer in force. preference: beside it the
    answer that was corrected. unpaired: each answer with whether a thumb was
    up. Only corrections in force and answers that somebody judged go out,
    and of them only what may be learned.
    """
    rows = _all(kind).exclude(_erased(kind))
    if permissions.current() is None:
        rows = rows.exclude(pk__in=_all(kind).filter(_discord(kind)).values("pk"))
    found = list(rows.filter(pk__gt=after).order_by("pk")[:AT_ONCE])
    lines = "".join(
        json.dumps(_record(row, kind), ensure_ascii=False, separators=(",", ":")) + "\n"
        for row in found
    )
    return lines.encode(), found[-1].pk if found else after


def left_out() -> list[LeftOut]:
    """What the files do not hold now, of each kind that lacks something."""
    is_permitted = permissions.current() is not None
    found = []
    for kind, title in TITLES.items():
        erased = _all(kind).filter(_erased(kind)).count()
        discord = 0 if is_permitted else _all(kind).filter(_discord(kind)).count()
        counted = {Why.DISCORD: discord, Why.ASKER_ERASED: erased}
        by_reason = {why: n for why, n in counted.items() if n}
        if by_reason:
            found.append(LeftOut(title, by_reason))
    return found


def _all(kind: Kind) -> QuerySet[Any]:
    """What there is of a kind, whether or not it may be learned."""
    rows: QuerySet[Any]
    if kind == Kind.UNPAIRED:
        judged = Feedback.objects.exclude(rating=0).exclude(message__content="")
        rows = judged.filter(message__error="", message__reply_to__isnull=False)
    else:
        rows = Correction.objects.approved()
        if kind == Kind.PREFERENCE:
            rows = rows.exclude(rejected_answer="")
    return rows.select_related("message__reply_to")


def _discord(kind: Kind) -> Q:
    """Rows that ask in the words of a Discord message. Feedback has no others."""
    return _ON_DISCORD if kind == Kind.UNPAIRED else Q(own_question="") & _ON_DISCORD


def _erased(kind: Kind) -> Q:
    """Rows whose asker had their words deleted; feedback goes with the answer."""
    return Q(pk__in=[]) if kind == Kind.UNPAIRED else asker_erased()


def _record(row: Any, kind: Kind) -> dict[str, Any]:
    is_worded = kind != Kind.UNPAIRED and bool(row.own_question)
    is_discord = row.message is not None and row.message.source == Source.DISCORD
    source = Provenance.Source.DISCORD_MESSAGE if is_discord and not is_worded else ""
    return marked(taught.record(row, kind), source)
