"""How a record lies in the columns of a table of ours, and how it comes back.

Each kind has columns that a person reads and may edit. What they cannot hold
exactly (tools, several turns in CSV, keys that we do not know) lies in the last
column, `record`, as JSON; where that is filled, it alone counts.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trainerbot.formats.jsonl import Line, parse_object
from trainerbot.formats.report import Problem, of_key
from trainerbot.formats.rows import Kind
from trainerbot.formats.spelling import canonical

RECORD: Final = "record"

_TEXTS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.CHAT: ("system", "prompt", "completion", RECORD),
    Kind.PREFERENCE: ("system", "prompt", "chosen", "rejected", RECORD),
    Kind.UNPAIRED: ("system", "prompt", "completion", "label", RECORD),
    Kind.LABELLED: ("text", "label", "name", RECORD),
}
_NESTED: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.CHAT: ("messages", RECORD),
    Kind.PREFERENCE: ("prompt", "chosen", "rejected", RECORD),
    Kind.UNPAIRED: ("prompt", "completion", "label", RECORD),
    Kind.LABELLED: ("text", "label", "name", RECORD),
}
_JUDGED: Final = {"true": True, "false": False}


def text_columns(kind: Kind) -> tuple[str, ...]:
    """Return the columns of a table of texts, such as CSV."""
    return _TEXTS[kind]


def nested_columns(kind: Kind) -> tuple[str, ...]:
    """Return the columns of a typed table, such as Parquet: lists of messages, and true or false.

    Their names are TRL's for conversational data.
    """
    return _NESTED[kind]


def kind_of(columns: Sequence[str]) -> Kind | None:
    """Return the kind of records in a table of ours, or None when it is somebody else's."""
    for tables in (_TEXTS, _NESTED):
        for kind, ours in tables.items():
            if tuple(columns) == ours:
                return kind
    return None


def to_texts(record: Mapping[str, Any], kind: Kind) -> dict[str, str]:
    """Return a record as the cells of `text_columns`, empty where there is nothing."""
    cells = dict.fromkeys(_TEXTS[kind], "")
    cells.update(_texts(record, kind))
    # The way back decides what the columns hold, so that the two cannot differ.
    if from_row(cells, kind) != record or not any(cells.values()) or _has_nul(cells):
        cells = dict.fromkeys(_TEXTS[kind], "")
        cells[RECORD] = canonical(record).rstrip("\n")
    return cells


def to_nested(record: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """Return a record as the cells of `nested_columns`, None where there is nothing."""
    cells: dict[str, Any] = dict.fromkeys(_NESTED[kind])
    cells.update(_nested(record, kind))
    if from_row(cells, kind) != record or not any(cells.values()) or _has_nul(cells):
        cells = dict.fromkeys(_NESTED[kind])
        cells[RECORD] = canonical(record).rstrip("\n")
    return cells


def from_row(row: Mapping[str, Any], kind: Kind, *, line: int = 0) -> dict[str, Any] | Problem:
    """Return the record that a row of ours holds, or why its `record` cell holds none."""
    if kept := row.get(RECORD):
        return parse_object(Line(line, str(kept).encode()))
    if kind is Kind.LABELLED:
        record = {"text": row["text"], "label": row["label"]}
        return record | ({"name": row["name"]} if row["name"] else {})
    if "messages" in row:
        return {"messages": row["messages"]}
    prompt = row["prompt"] if isinstance(row["prompt"], list) else _asked(row)
    if kind is Kind.PREFERENCE:
        return {
            "input": {"messages": prompt},
            "preferred_output": _answered(row["chosen"]),
            "non_preferred_output": _answered(row["rejected"]),
        }
    completion = _answered(row["completion"])
    if kind is Kind.CHAT:
        return {"messages": [*prompt, *completion]}
    label = row["label"]
    if isinstance(label, str):
        judged = _JUDGED.get(label.strip().lower())
        if judged is None:
            return of_key(line, "label", "data_type", "It must be true or false.")
        label = judged
    return {"prompt": prompt, "completion": completion, "label": label}


def _texts(record: Mapping[str, Any], kind: Kind) -> dict[str, str]:
    """Return what of a record goes into cells of text; whoever calls sees whether that is all."""
    match kind, record:
        case Kind.LABELLED, {"text": str(text), "label": str(label)}:
            name = record.get("name")
            return {"text": text, "label": label, "name": name if isinstance(name, str) else ""}
        case Kind.CHAT, {"messages": [*asked, {"content": str(completion)}]}:
            return _question(asked) | {"completion": completion}
        case (
            Kind.PREFERENCE,
            {
                "input": {"messages": [*asked]},
                "preferred_output": [{"content": str(chosen)}],
                "non_preferred_output": [{"content": str(rejected)}],
            },
        ):
            return _question(asked) | {"chosen": chosen, "rejected": rejected}
        case (
            Kind.UNPAIRED,
            {
                "prompt": [*asked],
                "completion": [{"content": str(completion)}],
                "label": bool(label),
            },
        ):
            judged = "true" if label else "false"
            return _question(asked) | {"completion": completion, "label": judged}
    return {}


def _nested(record: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    match kind, record:
        case Kind.LABELLED, _:
            return dict(_texts(record, kind))
        case Kind.CHAT, {"messages": messages} if _are_plain(messages):
            return {"messages": messages}
        case (
            Kind.PREFERENCE,
            {
                "input": {"messages": prompt},
                "preferred_output": chosen,
                "non_preferred_output": rejected,
            },
        ) if _are_plain(prompt) and _are_plain(chosen) and _are_plain(rejected):
            return {"prompt": prompt, "chosen": chosen, "rejected": rejected}
        case (
            Kind.UNPAIRED,
            {"prompt": prompt, "completion": completion, "label": bool(label)},
        ) if _are_plain(prompt) and _are_plain(completion):
            return {"prompt": prompt, "completion": completion, "label": label}
    return {}


def _question(asked: Sequence[Any]) -> dict[str, str]:
    match asked:
        case [{"role": "system", "content": str(system)}, {"content": str(prompt)}]:
            return {"system": system, "prompt": prompt}
        case [{"content": str(prompt)}]:
            return {"prompt": prompt}
    return {}


def _asked(row: Mapping[str, Any]) -> list[dict[str, str]]:
    system = [{"role": "system", "content": row["system"]}] if row.get("system") else []
    return [*system, {"role": "user", "content": row["prompt"] or ""}]


def _answered(cell: Any) -> list[Any]:
    return cell if isinstance(cell, list) else [{"role": "assistant", "content": cell or ""}]


def _are_plain(messages: Any) -> bool:
    """Say whether a list of messages has nothing but a role and a text in each."""
    return (
        isinstance(messages, list)
        and bool(messages)
        and all(
            isinstance(message, dict)
            and message.keys() == {"role", "content"}
            and isinstance(message["role"], str)
            and isinstance(message["content"], str)
            for message in messages
        )
    )


def _has_nul(value: Any) -> bool:
    match value:
        case str():
            return "\0" in value
        case dict():
            return any(_has_nul(inner) for inner in value.values())
        case list():
            return any(_has_nul(inner) for inner in value)
    return False
