"""Records of training data as cases: what training would teach is what a test expects."""

from collections.abc import Sequence
from typing import Any

from dashboard.models import Judge
from dashboard.services.suites.content import MAX_TAG, Content
from trainerbot.errors import InvalidInput
from trainerbot.formats import labels as label_words
from trainerbot.formats.rows import Kind
from trainerbot.messages import Role

_TOLD = (Role.SYSTEM, Role.DEVELOPER)


def content_of(
    record: dict[str, Any], kind: Kind, *, labels: Sequence[str] = (), example_id: int | None = None
) -> Content:
    """Return the case that a record makes. Raises InvalidInput for one that asks nothing.

    The last answer of a conversation is expected, what came before is history.
    Of a preference the worse answer is the rejected one. labels: to choose
    from, for texts with a class.
    """
    match kind:
        case Kind.LABELLED:
            label = str(record["label"])
            return Content(
                question=record["text"],
                expected=label,
                system=label_words.instruction(list(labels)),
                judge=Judge.LABEL.value,
                judge_args={"labels": list(labels)},
                tags=[label[:MAX_TAG]],
                example_id=example_id,
            )
        case Kind.PREFERENCE:
            rows = record["input"]["messages"]
            expected = _said(record["preferred_output"])
            return _talk(rows, expected, _said(record["non_preferred_output"]), example_id)
        case Kind.UNPAIRED:
            said = _said(record["completion"])
            if not record["label"]:
                raise InvalidInput("it holds only an answer that is wrong")
            return _talk(record["prompt"], said, "", example_id)
        case Kind.CHAT:
            rows = record["messages"]
            last = max(
                (at for at, row in enumerate(rows) if row["role"] == Role.ASSISTANT), default=-1
            )
            if last < 0 or not _text(rows[last].get("content")).strip():
                raise InvalidInput("it has no answer in words that could be expected")
            return _talk(rows[:last], _text(rows[last].get("content")), "", example_id)


def _talk(
    rows: Sequence[dict[str, Any]], expected: str, rejected: str, example_id: int | None
) -> Content:
    told = [_text(row.get("content")) for row in rows if row["role"] in _TOLD]
    said = [
        {"role": str(row["role"]), "content": _text(row.get("content"))}
        for row in rows
        if row["role"] in (Role.USER, Role.ASSISTANT)
    ]
    if not said or said[-1]["role"] != Role.USER:
        raise InvalidInput("there is no question before the answer")
    return Content(
        question=said[-1]["content"],
        history=said[:-1],
        system="\n".join(told),
        expected=expected,
        rejected=rejected,
        judge=Judge.SIMILAR.value,
        example_id=example_id,
    )


def _said(messages: Sequence[dict[str, Any]]) -> str:
    return _text(messages[-1].get("content")) if messages else ""


def _text(content: Any) -> str:
    """The words of a message, whose content is a text or a list of parts."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
