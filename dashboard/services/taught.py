"""What people taught, as training data: rows that our own importer and OpenAI's take."""

import json
from typing import Any

from django.db.models import QuerySet

from dashboard.models import Correction, Feedback
from trainerbot.errors import InvalidInput
from trainerbot.formats.rows import Kind

AT_ONCE = 500
NAMES = {
    Kind.CHAT: "corrections.chat.jsonl",
    Kind.PREFERENCE: "corrections.preference.jsonl",
    Kind.UNPAIRED: "feedback.unpaired.jsonl",
}


def kind_of(word: str) -> Kind:
    """The kind that `word` names. Raises InvalidInput for one that nothing taught has."""
    if word not in NAMES:
        raise InvalidInput("Corrections go out as chat or preference rows, feedback as unpaired.")
    return Kind(word)


def piece(kind: Kind, *, after: int) -> tuple[bytes, int]:
    """Some lines of JSONL, and the id to go on after; no lines at the end.

    chat: each question with the answer in force. preference: beside it the
    answer that was corrected. unpaired: each answer with whether a thumb was
    up. Only corrections in force and answers that somebody judged go out.
    """
    rows: QuerySet[Any]
    if kind == Kind.UNPAIRED:
        rows = _judged()
    else:
        rows = Correction.objects.approved()
        if kind == Kind.PREFERENCE:
            rows = rows.exclude(rejected_answer="")
    found = list(rows.filter(pk__gt=after).order_by("pk")[:AT_ONCE])
    lines = "".join(
        json.dumps(record(row, kind), ensure_ascii=False, separators=(",", ":")) + "\n"
        for row in found
    )
    return lines.encode(), found[-1].pk if found else after


def _judged() -> QuerySet[Feedback]:
    return (
        Feedback.objects.exclude(rating=0)
        .filter(message__error="", message__reply_to__isnull=False)
        .exclude(message__content="")
        .select_related("message__reply_to")
    )


def record(row: Any, kind: Kind) -> dict[str, Any]:
    """One row as training data. A question that a reviewer worded for that goes before the asked one."""
    if kind == Kind.UNPAIRED:
        return {
            "prompt": [_user(row.message.reply_to.content)],
            "completion": [_assistant(row.message.content)],
            "label": row.rating > 0,
        }
    if kind == Kind.PREFERENCE:
        return {
            "input": {"messages": [_user(row.own_question or row.question)]},
            "preferred_output": [_assistant(row.better_answer)],
            "non_preferred_output": [_assistant(row.rejected_answer)],
        }
    return {"messages": [_user(row.own_question or row.question), _assistant(row.better_answer)]}


def _user(words: str) -> dict[str, str]:
    return {"role": "user", "content": words}


def _assistant(words: str) -> dict[str, str]:
    return {"role": "assistant", "content": words}
