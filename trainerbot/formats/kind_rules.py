"""What training asks of a record beyond what makes it readable, by its kind."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from trainerbot.formats.report import Problem, of_key, warning
from trainerbot.formats.rows import Kind, Row

_ASKED: Final = "input.messages"
_CHOSEN: Final = "preferred_output"
_REJECTED: Final = "non_preferred_output"


def check_kind(row: Row) -> Iterator[Problem]:
    """Yield what is wrong with a row that can be read.

    Chat rows have met all their rules before, and of an unpaired or a
    labelled one nothing more is asked. Preference data is text only at
    OpenAI, and teaches nothing when both answers are the same.
    """
    if row.kind is not Kind.PREFERENCE:
        return
    record = row.record
    for place, messages in (
        (_ASKED, record["input"]["messages"]),
        (_CHOSEN, record[_CHOSEN]),
        (_REJECTED, record[_REJECTED]),
    ):
        for index, message in enumerate(messages):
            if any(part.get("type") not in ("text", "refusal") for part in _parts(message)):
                key = f"{place}[{index}].content"
                yield of_key(row.line, key, "unsupported_content", "Preference data is text only.")
    if record[_CHOSEN] == record[_REJECTED]:
        yield warning(row.line, _REJECTED, "nothing_to_learn", "Both answers are the same.")


def _parts(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
