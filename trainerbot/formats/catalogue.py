"""The formats that can be read, by name, and how a record of each is recognised."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from trainerbot.formats.legacy import are_job_ids
from trainerbot.formats.records import conversations, judged
from trainerbot.formats.rows import Kind

Convert = Callable[[Mapping[str, Any]], dict[str, Any]]


class Format(NamedTuple):
    """One format: what people call it, what its rows hold, and what they become.

    `kind` is None where the mapping decides, or where no rows come. `convert`
    is None where a row needs more than its own record.
    """

    title: str
    keys: str
    kind: Kind | None
    convert: Convert | None = None


FORMATS: Final[Mapping[str, Format]] = {
    "chat-jsonl": Format("OpenAI chat data", "messages", Kind.CHAT, conversations.from_chat),
    "dpo-jsonl": Format(
        "OpenAI preference (DPO) data",
        "input, preferred_output, non_preferred_output",
        Kind.PREFERENCE,
        judged.from_openai_dpo,
    ),
    "kto-jsonl": Format(
        "KTO data", "prompt, completion, label", Kind.UNPAIRED, judged.from_trl_kto
    ),
    "alpaca": Format(
        "Alpaca data", "instruction, input, output", Kind.CHAT, conversations.from_alpaca
    ),
    "sharegpt": Format(
        "ShareGPT data", "conversations of from and value", Kind.CHAT, conversations.from_sharegpt
    ),
    "llamafactory-dpo": Format(
        "LLaMA-Factory preference (DPO) data",
        "a conversation or an instruction, chosen, rejected",
        Kind.PREFERENCE,
        judged.from_llamafactory_dpo,
    ),
    "llamafactory-kto": Format(
        "LLaMA-Factory KTO data",
        "a conversation or an instruction, and kto_tag",
        Kind.UNPAIRED,
        judged.from_llamafactory_kto,
    ),
    "preference-pairs": Format(
        "preference pairs", "prompt, chosen, rejected", Kind.PREFERENCE, judged.from_preference_pair
    ),
    "prompt-completion": Format(
        "prompts and completions", "prompt, completion", Kind.CHAT, conversations.from_pair
    ),
    "question-answer": Format(
        "questions and answers", "question, answer", Kind.CHAT, conversations.from_question
    ),
    "labelled-json": Format("labelled texts", "text, label, maybe name", Kind.LABELLED),
    "texts": Format("plain texts", "one text a file", Kind.LABELLED),
    "chat-csv": Format("a chat table", "role, content, sentiment", Kind.CHAT),
    "dialogue": Format("a dialogue of the original bot", "role, content", Kind.CHAT),
    "corrections-log": Format(
        "the original bot's log of corrections", "Original, Correction", Kind.CHAT
    ),
    "job-ids": Format("the original bot's job ids", "id, description, created", None),
    "exported-table": Format("a table that TrainerBot wrote", "its own columns", None),
    "table": Format("a table", "columns that you name", None),
}


# The format that keeps every record of a kind as it is.
KEPT_AS: Final[Mapping[Kind, str]] = {
    Kind.CHAT: "chat-jsonl",
    Kind.PREFERENCE: "dpo-jsonl",
    Kind.UNPAIRED: "kto-jsonl",
    Kind.LABELLED: "labelled-json",
}


def convert_labelled(label: str | None) -> Convert:
    """Return what makes labelled records, `label` being that of a record without one."""
    return partial(judged.from_labelled, default=label)


def left_out(record: Mapping[str, Any], format: str) -> tuple[str, ...]:
    """Return the keys of a record that nothing is made of; () where all are kept."""
    used = _USED.get(format)
    return () if used is None else tuple(key for key in record if key not in used)


def shape_of(value: object, *, called: str = "") -> str | None:
    """Return the name of the format that a value looks like, or None.

    `called` is the file's name, which decides only where a value fits nothing
    else.
    """
    if isinstance(value, list):
        first = value[0] if value else None
        return "dialogue" if isinstance(first, dict) and _is_message(first) else None
    if not isinstance(value, dict):
        return None
    keys = value.keys()
    for needed, name in _SHAPES:
        if needed <= keys:
            return _REFINED[name](value) if name in _REFINED else name
    if are_job_ids(value) or (called.startswith("job_ids") and _holds_texts(value)):
        return "job-ids"
    return None


def _is_message(value: Mapping[str, Any]) -> bool:
    return {"role", "content"} <= value.keys() or {"from", "value"} <= value.keys()


def _holds_texts(value: Mapping[str, Any]) -> bool:
    return bool(value) and all(isinstance(each, str) for each in value.values())


# The keys that give a record away, the most telling first.
_SHAPES: Final = tuple(
    (frozenset(keys.split()), name)
    for keys, name in (
        ("input preferred_output non_preferred_output", "dpo-jsonl"),
        ("conversations chosen rejected", "llamafactory-dpo"),
        ("messages chosen rejected", "llamafactory-dpo"),
        ("prompt chosen rejected", "preference-pairs"),
        ("instruction chosen rejected", "llamafactory-dpo"),
        ("chosen rejected", "preference-pairs"),
        ("chosen_messages rejected_messages", "preference-pairs"),
        ("response_chosen response_rejected", "preference-pairs"),
        ("kto_tag", "llamafactory-kto"),
        ("prompt completion label", "kto-jsonl"),
        ("messages", "chat-jsonl"),
        ("conversations", "sharegpt"),
        ("conversation", "sharegpt"),
        ("instruction output", "alpaca"),
        *((" ".join(pair), "prompt-completion") for pair in conversations.PAIRS),
        *((" ".join(pair), "question-answer") for pair in conversations.QUESTIONS),
        ("role content", "dialogue"),
        ("from value", "dialogue"),
        ("text", "labelled-json"),
    )
)


def _refine_messages(value: Mapping[str, Any]) -> str | None:
    """Tell OpenAI's messages from others under the same key."""
    messages = value["messages"]
    if isinstance(value.get("label"), bool):
        return "llamafactory-kto"
    first = messages[0] if isinstance(messages, list) and messages else None
    if isinstance(first, dict) and "content" not in first and {"from", "value"} <= first.keys():
        return "sharegpt"
    content = first.get("content") if isinstance(first, dict) else None
    if isinstance(content, list) and any(isinstance(p, dict) and "value" in p for p in content):
        return "sharegpt"
    return "sharegpt" if isinstance(messages, str) else "chat-jsonl"


def _refine_text(value: Mapping[str, Any]) -> str | None:
    return "labelled-json" if isinstance(value["text"], str) else None


def _refine_judged(value: Mapping[str, Any]) -> str | None:
    """Tell a judged answer from a pair that happens to have some label."""
    judged_as = str(value["label"]).strip().lower()
    return "kto-jsonl" if judged_as in ("true", "false", "0", "1") else "prompt-completion"


_REFINED: Final[Mapping[str, Callable[[Mapping[str, Any]], str | None]]] = {
    "chat-jsonl": _refine_messages,
    "kto-jsonl": _refine_judged,
    "labelled-json": _refine_text,
}

_CONVERSATION: Final = "conversations messages conversation system tools"
_PROMPT: Final = "instruction input system history"

# What the readers look at. OpenAI's own formats keep every key.
_USED: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(keys.split())
    for name, keys in {
        "alpaca": f"{_PROMPT} output",
        "sharegpt": _CONVERSATION,
        "kto-jsonl": "prompt completion label system system_prompt",
        "llamafactory-dpo": f"{_CONVERSATION} {_PROMPT} chosen rejected",
        "llamafactory-kto": f"{_CONVERSATION} {_PROMPT} output kto_tag label",
        "preference-pairs": " ".join((*judged.CHOSEN, *judged.REJECTED, *judged.ASKED, "tools"))
        + " system system_prompt",
        "prompt-completion": " ".join(key for pair in conversations.PAIRS for key in pair)
        + " system system_prompt",
        "question-answer": " ".join(key for pair in conversations.QUESTIONS for key in pair)
        + " system system_prompt",
        "labelled-json": "text label name",
        "dialogue": "role content from value text sentiment",
        "chat-csv": "role content from value text sentiment",
    }.items()
}
