"""The texts of a record whose tokens are counted, and what is added for its form."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from trainerbot.formats.rows import Kind

# OpenAI's cookbook, "How to count tokens with tiktoken": what each message
# costs beside its words, a name beside its own, and the reply's beginning.
PER_MESSAGE: Final = 3
PER_NAME: Final = 1
PER_REPLY: Final = 3


class Billed(NamedTuple):
    """What a record is counted by: its texts, and the tokens that its form adds."""

    texts: list[str]
    n_added: int


def billed(record: Mapping[str, Any], kind: Kind) -> Billed:
    """Return what OpenAI bills one record for.

    Exact, as far as OpenAI has published it, for chats of texts: role, content
    and name of every message. An estimate for the rest: tools and their calls
    are counted as compact JSON, pictures and sounds not at all, and a
    preference as both of its conversations, since nobody says what a DPO job
    bills. A labelled text counts as its text and label.
    """
    match kind:
        case Kind.CHAT:
            return _conversation(record, record.get("messages"))
        case Kind.PREFERENCE:
            given = record.get("input")
            asked = given if isinstance(given, Mapping) else {}
            messages = _list(asked.get("messages"))
            first = _conversation(asked, [*messages, *_list(record.get("preferred_output"))])
            other = _conversation(asked, [*messages, *_list(record.get("non_preferred_output"))])
            return Billed(first.texts + other.texts, first.n_added + other.n_added)
        case Kind.UNPAIRED:
            messages = [*_list(record.get("prompt")), *_list(record.get("completion"))]
            return _conversation(record, messages)
        case Kind.LABELLED:
            return Billed([str(record.get(key) or "") for key in ("text", "label")], 0)


def conversations(record: Mapping[str, Any], kind: Kind) -> list[list[Mapping[str, Any]]]:
    """Return the conversations that a model is trained on; none for a labelled text."""
    match kind:
        case Kind.CHAT:
            found = [record.get("messages")]
        case Kind.PREFERENCE:
            given = record.get("input")
            asked = _list(given.get("messages")) if isinstance(given, Mapping) else []
            outputs = ("preferred_output", "non_preferred_output")
            found = [[*asked, *_list(record.get(key))] for key in outputs]
        case Kind.UNPAIRED:
            found = [[*_list(record.get("prompt")), *_list(record.get("completion"))]]
        case Kind.LABELLED:
            found = []
    return [[m for m in _list(messages) if isinstance(m, Mapping)] for messages in found]


def text_of(message: Mapping[str, Any]) -> str:
    """Return what a message says; the text parts of a list follow each other without a gap."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(_texts_of_parts(content))
    return content if isinstance(content, str) else ""


def _conversation(holder: Mapping[str, Any], messages: Any) -> Billed:
    texts: list[str] = []
    n_added = PER_REPLY
    for message in _list(messages):
        if not isinstance(message, Mapping):
            continue
        n_added += PER_MESSAGE
        texts.append(str(message.get("role") or ""))
        content = message.get("content")
        if isinstance(content, str):
            texts.append(content)
        elif isinstance(content, list):
            texts.extend(_texts_of_parts(content))
        if isinstance(name := message.get("name"), str):
            texts.append(name)
            n_added += PER_NAME
        for key in ("tool_calls", "function_call", "refusal", "tool_call_id"):
            if value := message.get(key):
                texts.append(value if isinstance(value, str) else _compact(value))
    for key in ("tools", "functions"):
        if tools := holder.get(key):
            texts.append(_compact(tools))
    return Billed(texts, n_added)


def _texts_of_parts(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Mapping):
            for key in ("text", "refusal"):
                if isinstance(part.get(key), str):
                    yield part[key]


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
