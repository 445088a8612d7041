"""What a list shows of a record: what is asked, what is answered, which class it has."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from trainerbot.formats.chat import parse_prompt
from trainerbot.formats.rows import Kind
from trainerbot.formats.spelling import is_plain
from trainerbot.messages import Role


class Glance(NamedTuple):
    """Texts for lists and search; empty where the record has none."""

    question: str
    answer: str
    label: str


def glance(record: Mapping[str, Any], kind: Kind) -> Glance:
    """Return what a list shows of a usable record of `kind`.

    A preference shows its better answer, a judged answer has the label
    "good" or "bad".
    """
    match kind:
        case Kind.CHAT:
            messages = record["messages"]
            if is_plain(record) and _ends_as_usual(messages):
                return Glance(messages[-2]["content"], messages[-1]["content"], "")
            question, answer = parse_prompt(messages)
            return Glance(question or "", answer or "", "")
        case Kind.PREFERENCE:
            asked = parse_prompt(record["input"]["messages"])
            answered = parse_prompt(record["preferred_output"])
            return Glance(asked.question or "", answered.answer or "", "")
        case Kind.UNPAIRED:
            asked = parse_prompt(record["prompt"])
            answered = parse_prompt(record["completion"])
            label = "good" if record["label"] else "bad"
            return Glance(asked.question or "", answered.answer or "", label)
        case Kind.LABELLED:
            return Glance(record["text"], record["label"], record["label"])


def _ends_as_usual(messages: list[dict[str, str]]) -> bool:
    """Say whether plain messages end in a question and its answer, both of them not blank."""
    if len(messages) < 2:
        return False
    asked, answered = messages[-2], messages[-1]
    return (
        answered["role"] == Role.ASSISTANT
        and asked["role"] == Role.USER
        and not answered["content"].isspace()
        and not asked["content"].isspace()
        and bool(answered["content"] and asked["content"])
    )
