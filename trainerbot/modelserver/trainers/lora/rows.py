"""Training files as rows that a chat template can render."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from trainerbot.formats import Row, read
from trainerbot.messages import Role

Message = dict[str, Any]

# As `formats` calls the two files of OpenAI's.
FORMATS = {"chat": "chat-jsonl", "preference": "dpo-jsonl"}


class ChatRow(msgspec.Struct, frozen=True):
    """A conversation. `learned` are the places of the assistant messages to learn."""

    messages: list[Message]
    learned: list[int]
    tools: list[dict[str, Any]] | None = None


class PairRow(msgspec.Struct, frozen=True):
    """A conversation and two ways to go on."""

    messages: list[Message]
    preferred: list[Message]
    other: list[Message]
    tools: list[dict[str, Any]] | None = None


def read_rows(path: str, rows: str) -> Iterator[ChatRow | PairRow | None]:
    """Yield every usable row of a file of `rows` "chat" or "preference".

    None stands for a row that holds something else than words.
    """
    for row in read(path, format=FORMATS[rows]):
        if isinstance(row, Row):
            yield chat_row(row.record) if rows == "chat" else _pair_row(row.record)


def chat_row(record: Mapping[str, Any]) -> ChatRow | None:
    """Return OpenAI's chat row `{"messages": [...]}` as ours; None when it holds more than words.

    A message of weight 0 is read and not learned.
    """
    messages = _plain(record["messages"])
    if messages is None:
        return None
    learned = [
        place
        for place, message in enumerate(record["messages"])
        if message["role"] == Role.ASSISTANT and message.get("weight") != 0
    ]
    return ChatRow(messages, learned, record.get("tools") or None)


def _pair_row(record: Mapping[str, Any]) -> PairRow | None:
    asked = _plain(record["input"]["messages"])
    preferred, other = _plain(record["preferred_output"]), _plain(record["non_preferred_output"])
    if asked is None or preferred is None or other is None:
        return None
    return PairRow(asked, preferred, other, record["input"].get("tools") or None)


def _plain(messages: Sequence[Mapping[str, Any]]) -> list[Message] | None:
    plain = [_plain_message(message) for message in messages]
    return [message for message in plain if message is not None] if None not in plain else None


def _plain_message(message: Mapping[str, Any]) -> Message | None:
    """Return the message as templates know it: text for content, arguments as objects."""
    content = message.get("content")
    if isinstance(content, list):
        texts = [part.get("text", part.get("refusal")) for part in content]
        if not all(isinstance(text, str) for text in texts):
            return None
        content = "\n".join(texts)
    # No open model's template knows OpenAI's newer word for it.
    role = Role.SYSTEM if message["role"] == Role.DEVELOPER else message["role"]
    plain: Message = {"role": str(role), "content": content or message.get("refusal") or ""}
    for name in ("name", "tool_call_id"):
        if message.get(name) is not None:
            plain[name] = message[name]
    if message.get("tool_calls"):
        plain["tool_calls"] = [_plain_call(call) for call in message["tool_calls"]]
    return plain


def _plain_call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = dict(call["function"])
    # What is not JSON the template writes as it stands.
    with contextlib.suppress(msgspec.DecodeError, TypeError, KeyError):
        function["arguments"] = msgspec.json.decode(function["arguments"])
    return {"id": call.get("id"), "type": "function", "function": function}


def calls_tools(messages: Sequence[Message]) -> bool:
    """Return whether a tool is called or answers."""
    return any("tool_calls" in m or m["role"] in (Role.TOOL, "function") for m in messages)
