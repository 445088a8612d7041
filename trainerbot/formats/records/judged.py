"""Records that say which answer was better (DPO) or whether one was good (KTO)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from trainerbot.formats import labels
from trainerbot.formats.records.conversations import alpaca_prompt, read_prompt, sharegpt_messages
from trainerbot.formats.records.messages import (
    Message,
    assistant,
    read_message,
    read_messages,
    read_tools,
    unpack_messages,
    user,
)
from trainerbot.formats.records.refusal import (
    Refused,
    first_key,
    optional_text,
    required_flag,
    required_text,
)
from trainerbot.messages import Role

Record = Mapping[str, Any]

CHOSEN: Final = ("chosen", "chosen_messages", "response_chosen", "preferred")
REJECTED: Final = ("rejected", "rejected_messages", "response_rejected", "dispreferred")
ASKED: Final = ("prompt", "question", "instruction", "query", "input")
_SPEAKER: Final = re.compile(r"(?:\A|\n\n)\s*(Human|Assistant): ?")


def from_openai_dpo(record: Record) -> dict[str, Any]:
    """OpenAI's own row, with the messages it asks for where it asks for them."""
    given = record.get("input")
    if not isinstance(given, dict):
        raise Refused("input", "data_type", 'It must be an object with "messages".')
    made: dict[str, Any] = dict(record)
    made["input"] = {**given, "messages": read_messages(given.get("messages"), "input.messages")}
    for key in ("preferred_output", "non_preferred_output"):
        made[key] = _answer(record.get(key), key, [])
    return made


def from_llamafactory_dpo(record: Record) -> dict[str, Any]:
    """conversations, chosen and rejected; or instruction, input, chosen and rejected."""
    if first_key(record, "conversations", "messages"):
        prompt = sharegpt_messages(record)
    else:
        prompt = alpaca_prompt(record)
    return _preference(record, prompt, "chosen", "rejected")


def from_preference_pair(record: Record) -> dict[str, Any]:
    """prompt, chosen and rejected as TRL has them, and lists or transcripts that begin alike."""
    better = first_key(record, *CHOSEN) or "chosen"
    worse = first_key(record, *REJECTED) or "rejected"
    asked = first_key(record, *ASKED)
    if asked:
        return _preference(record, read_prompt(record, asked), better, worse)
    chosen = _conversation(record.get(better), better)
    rejected = _conversation(record.get(worse), worse)
    prompt = _common_beginning(chosen, rejected)
    if not prompt:
        text = "Nothing says what was asked: the two do not begin alike and there is no prompt."
        raise Refused("prompt", "message_missing_key", text)
    return _preference(record, prompt, better, worse, chosen=chosen, rejected=rejected)


def _preference(
    record: Record,
    prompt: list[Message],
    better: str,
    worse: str,
    *,
    chosen: object = None,
    rejected: object = None,
) -> dict[str, Any]:
    asked: dict[str, Any] = {"messages": prompt}
    if tools := read_tools(record.get("tools"), "tools"):
        asked["tools"] = tools
    return {
        "input": asked,
        "preferred_output": _answer(chosen or record.get(better), better, prompt),
        "non_preferred_output": _answer(rejected or record.get(worse), worse, prompt),
    }


def _answer(value: object, key: str, prompt: Sequence[Message]) -> list[Message]:
    """Return the one answer under `key`: a text, a message, or a list that may repeat the prompt."""
    value = unpack_messages(value)
    if isinstance(value, dict):
        messages = [read_message(value, key)]
    elif isinstance(value, list):
        messages = read_messages(value, key)
        if len(messages) > 1 and messages[:-1] == list(prompt)[-(len(messages) - 1) :]:
            messages = messages[-1:]
    else:
        messages = [assistant(required_text({key: value}, key))]
    if len(messages) != 1 or messages[0]["role"] != Role.ASSISTANT:
        raise Refused(key, "data_type", "It must be one message of the assistant.")
    messages[0].pop("weight", None)  # Both answers of a pair are learned from.
    return messages


def _conversation(value: object, key: str) -> list[Message]:
    """Return a whole conversation: a list of messages, or a transcript of Human and Assistant."""
    value = unpack_messages(value)
    if isinstance(value, list):
        messages = read_messages(value, key)
        for message in messages:
            message.pop("weight", None)
        return messages
    text = required_text({key: value}, key)
    pieces = _SPEAKER.split(text)
    if pieces[0].strip() or len(pieces) < 5:
        raise Refused("prompt", "message_missing_key", 'The record has no "prompt".')
    return [
        user(said.strip()) if speaker == "Human" else assistant(said.strip())
        for speaker, said in zip(pieces[1::2], pieces[2::2], strict=True)
    ]


def _common_beginning(one: list[Message], other: list[Message]) -> list[Message]:
    shared = 0
    while shared < min(len(one), len(other)) - 1 and one[shared] == other[shared]:
        shared += 1
    return one[:shared]


def from_trl_kto(record: Record) -> dict[str, Any]:
    """prompt, completion and label; texts or lists of messages; maybe tools."""
    asked = read_prompt(record, "prompt")
    answer = _answer(record.get("completion"), "completion", asked)
    label = required_flag(record, "label")
    made: dict[str, Any] = {"prompt": asked, "completion": answer, "label": label}
    if tools := read_tools(record.get("tools"), "tools"):
        made["tools"] = tools
    return made


def from_llamafactory_kto(record: Record) -> dict[str, Any]:
    """A conversation or an Alpaca record, and kto_tag (or label): whether its last answer was good."""
    flag = first_key(record, "kto_tag", "label") or "kto_tag"
    if first_key(record, "conversations", "messages"):
        *asked, answer = sharegpt_messages(record)
        for message in asked:
            message.pop("weight", None)
        if not asked or answer["role"] != Role.ASSISTANT:
            raise Refused("messages", "data_type", "It must end with an answer of the assistant.")
        answer.pop("weight", None)
    else:
        asked, answer = alpaca_prompt(record), assistant(required_text(record, "output"))
    return {"prompt": asked, "completion": [answer], "label": required_flag(record, flag)}


def from_labelled(record: Record, default: str | None) -> dict[str, Any]:
    """text, label and maybe name; `default` is the label of a record that has none."""
    made = {"text": required_text(record, "text"), "label": _label(record, default)}
    if name := optional_text(record, "name"):
        made["name"] = name
    return made


def _label(record: Record, default: str | None) -> str:
    given = record.get("label")
    if isinstance(given, bool):
        return labels.of_flag(given)
    if isinstance(given, int):
        return str(given)
    label = optional_text(record, "label")
    if label.strip():
        return labels.canonical(label)
    if default is None:
        text = "The record has no label. Name one for all records without."
        raise Refused("label", "missing_label", text)
    return labels.canonical(default)
