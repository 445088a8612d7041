"""Records that become a conversation: pairs, Alpaca, ShareGPT."""

from collections.abc import Mapping
from typing import Any, Final

from trainerbot.formats.records.messages import (
    Message,
    assistant,
    read_messages,
    read_tools,
    system,
    unpack,
    user,
)
from trainerbot.formats.records.refusal import Refused, first_key, optional_text, required_text

Record = Mapping[str, Any]

# What a pair is called: asked, answered. The first whose both keys are there counts.
PAIRS: Final = (
    ("prompt", "completion"),
    ("prompt", "response"),
    ("instruction", "response"),
    ("input", "output"),
    ("query", "response"),
    ("prompt", "output"),
)
QUESTIONS: Final = (("question", "answer"), ("query", "answer"), ("question", "response"))


def from_chat(record: Record) -> dict[str, Any]:
    """OpenAI's chat row is ours: it stays as it is."""
    return dict(record)


def from_alpaca(record: Record) -> dict[str, Any]:
    """instruction, input, output, system, history: as LLaMA-Factory reads them."""
    return {"messages": [*alpaca_prompt(record), assistant(required_text(record, "output"))]}


def alpaca_prompt(record: Record) -> list[Message]:
    """Return the conversation up to the answer that an Alpaca record asks for."""
    asked = [optional_text(record, key) for key in ("instruction", "input")]
    text = "\n".join(part for part in asked if part.strip())
    if not text:
        required_text(record, "instruction")
    return [*system(optional_text(record, "system")), *_history(record), user(text)]


def _history(record: Record) -> list[Message]:
    turns = unpack(record.get("history"), "history") or []
    if not isinstance(turns, list):
        raise Refused("history", "data_type", "It must be a list of [question, answer] pairs.")
    messages: list[Message] = []
    for index, turn in enumerate(turns):
        if not isinstance(turn, list) or [type(part) for part in turn] != [str, str]:
            text = "A turn must be a list of two strings: question and answer."
            raise Refused(f"history[{index}]", "data_type", text)
        messages += [user(turn[0]), assistant(turn[1])]
    return messages


def from_sharegpt(record: Record) -> dict[str, Any]:
    """conversations of from and value, or of role and content; tools as a list or as JSON text."""
    made: dict[str, Any] = {"messages": sharegpt_messages(record)}
    if tools := read_tools(record.get("tools"), "tools"):
        made["tools"] = tools
    return made


def sharegpt_messages(record: Record) -> list[Message]:
    key = first_key(record, "conversations", "messages", "conversation") or "conversations"
    messages = read_messages(record.get(key), key)
    if record.get("system") is None or messages[0]["role"] == "system":
        return messages
    return [*system(optional_text(record, "system")), *messages]


def from_pair(record: Record) -> dict[str, Any]:
    """prompt and completion and their other names, as texts or as lists of messages."""
    return _from_pair(record, PAIRS)


def from_question(record: Record) -> dict[str, Any]:
    """question and answer."""
    return _from_pair(record, QUESTIONS)


def _from_pair(record: Record, names: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    there = [pair for pair in names if all(record.get(key) is not None for key in pair)]
    asked, answered = there[0] if there else names[0]
    prompt = read_prompt(record, asked)
    if isinstance(record.get(answered), list):
        return {"messages": [*prompt, *read_messages(record[answered], answered)]}
    return {"messages": [*prompt, assistant(required_text(record, answered))]}


def read_prompt(record: Record, key: str) -> list[Message]:
    """Return what is asked under `key`, a text or a list of messages, after the system's word."""
    if isinstance(record.get(key), list):
        messages = read_messages(record[key], key)
    else:
        messages = [user(required_text(record, key))]
    if messages[0]["role"] == "system":
        return messages
    said = first_key(record, "system", "system_prompt")
    return [*system(optional_text(record, said)), *messages] if said else messages
