"""Records of all four kinds, cut into what a page shows."""

import json
from dataclasses import dataclass, field
from typing import Any

from trainerbot.formats.rows import Kind

MAX_SHOWN_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model is to call. arguments: indented JSON, or the words as they are."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Said:
    """One message. notes: what is unusual about it, such as a weight of 0."""

    role: str
    text: str
    calls: list[Call] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Side:
    """One of two answers of a preference; or the one answer of a judged row."""

    title: str
    tone: str
    messages: list[Said]


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as a page shows it: what comes first, then the answers side by side.

    tools: the names and descriptions of the tools on offer.
    rest: the keys of the record that none of this shows, as indented JSON; "" for none.
    """

    kind: Kind
    messages: list[Said]
    sides: list[Side] = field(default_factory=list)
    label: str = ""
    name: str = ""
    tools: list[tuple[str, str]] = field(default_factory=list)
    rest: str = ""


def show(record: dict[str, Any], kind: Kind) -> Shown:
    """Cut `record`, which may be damaged: whatever is there is shown, nothing raises."""
    match kind:
        case Kind.CHAT:
            return Shown(
                kind,
                _messages(record.get("messages")),
                tools=_tools(record.get("tools")),
                rest=_rest(record, {"messages", "tools"}),
            )
        case Kind.PREFERENCE:
            given = record.get("input")
            given = given if isinstance(given, dict) else {}
            return Shown(
                kind,
                _messages(given.get("messages")),
                sides=[
                    Side("Preferred", "success", _messages(record.get("preferred_output"))),
                    Side("Not preferred", "error", _messages(record.get("non_preferred_output"))),
                ],
                tools=_tools(given.get("tools")),
                rest=_rest(record, {"input", "preferred_output", "non_preferred_output"}),
            )
        case Kind.UNPAIRED:
            is_good = record.get("label") is True
            side = Side(
                "Judged good" if is_good else "Judged bad",
                "success" if is_good else "error",
                _messages(record.get("completion")),
            )
            return Shown(
                kind,
                _messages(record.get("prompt")),
                sides=[side],
                label="good" if is_good else "bad",
                rest=_rest(record, {"prompt", "completion", "label"}),
            )
        case Kind.LABELLED:
            return Shown(
                kind,
                [Said("text", _text(record.get("text")))],
                label=_text(record.get("label")),
                name=_text(record.get("name")),
                rest=_rest(record, {"text", "label", "name"}),
            )


def indented(value: Any) -> str:
    """JSON as a person reads it."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def _messages(found: Any) -> list[Said]:
    if not isinstance(found, list):
        return []
    return [_said(message) for message in found if isinstance(message, dict)]


def _said(message: dict[str, Any]) -> Said:
    notes: list[str] = []
    if message.get("weight") == 0:
        notes.append("not trained on (weight 0)")
    if message.get("name"):
        notes.append(f"name: {message['name']}")
    if message.get("tool_call_id"):
        notes.append(f"answers {message['tool_call_id']}")
    if message.get("refusal"):
        notes.append(f"refusal: {_text(message['refusal'])}")
    calls = message.get("tool_calls")
    found = [_call(call) for call in calls if isinstance(call, dict)] if calls else []
    if isinstance(message.get("function_call"), dict):
        found.append(_call({"function": message["function_call"]}))
    return Said(str(message.get("role", "?")), _text(message.get("content")), found, notes)


def _call(call: dict[str, Any]) -> Call:
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    arguments = function.get("arguments", "")
    try:
        shown = indented(json.loads(arguments))
    except (TypeError, ValueError):
        shown = str(arguments)
    return Call(str(function.get("name", "?")), shown)


def _tools(found: Any) -> list[tuple[str, str]]:
    if not isinstance(found, list):
        return []
    functions = [tool.get("function") for tool in found if isinstance(tool, dict)]
    return [
        (str(each.get("name", "?")), str(each.get("description", "")))
        for each in functions
        if isinstance(each, dict)
    ]


def _text(content: Any) -> str:
    """The words of a content: text, or parts of which some are no words."""
    if content is None:
        return ""
    if isinstance(content, str):
        text = content
    elif isinstance(content, list):
        text = "\n".join(_part(part) for part in content)
    else:
        text = json.dumps(content, ensure_ascii=False)
    if len(text) > MAX_SHOWN_CHARACTERS:
        return f"{text[:MAX_SHOWN_CHARACTERS]}… ({len(text):,} characters)"
    return text


def _part(part: Any) -> str:
    if not isinstance(part, dict):
        return str(part)
    if isinstance(part.get("text"), str):
        return str(part["text"])
    return f"[{part.get('type', 'part')}]"


def _rest(record: dict[str, Any], shown: set[str]) -> str:
    rest = {key: value for key, value in record.items() if key not in shown}
    return indented(rest) if rest else ""
