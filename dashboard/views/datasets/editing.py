"""A record as a form: one field a piece of text, everything else left as it is."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from trainerbot.errors import InvalidInput
from trainerbot.formats.rows import Kind

ROLES: Final = ("system", "developer", "user", "assistant", "tool")
# Where the messages of a kind lie in its record, and how that part is called.
SECTIONS: Final[Mapping[Kind, tuple[tuple[str, str], ...]]] = {
    Kind.CHAT: (("messages", ""),),
    Kind.PREFERENCE: (
        ("input.messages", "Asked"),
        ("preferred_output", "Preferred answer"),
        ("non_preferred_output", "Other answer"),
    ),
    Kind.UNPAIRED: (("prompt", "Asked"), ("completion", "Answered")),
    Kind.LABELLED: (),
}
PLAIN: Final[Mapping[Kind, tuple[tuple[str, str], ...]]] = {
    Kind.LABELLED: (("text", "Text"), ("label", "Label"), ("name", "Name")),
    Kind.UNPAIRED: (("label", "Judged"),),
}


@dataclass(frozen=True, slots=True)
class TextField:
    """One piece of text. name: its path in the record; choices: when there are few values."""

    name: str
    label: str
    value: str
    choices: tuple[str, ...] = ()
    is_long: bool = False
    role: "TextField | None" = None


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together. has_more: it holds what only the JSON shows."""

    title: str
    fields: list[TextField]
    has_more: bool


def fields_of(record: Mapping[str, Any], kind: Kind) -> list[Section]:
    """What of `record` a form can show: the words of its messages, its label and its name."""
    sections = [_section(record, path, title) for path, title in SECTIONS[kind]]
    plain = [_plain(record, name, label, kind) for name, label in PLAIN.get(kind, ())]
    if plain:
        sections.append(Section("", plain, has_more=False))
    return sections


def apply(record: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Return `record` with the texts that a form gave under their paths.

    Browsers send line ends as CR LF; a text that differs in nothing else stays
    as it was.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(record))
    for name, value in given.items():
        if not name.startswith("text."):
            continue
        *way, last = name.removeprefix("text.").split(".")
        place: Any = changed
        for step in way:
            place = _step(place, step)
        old = _step(place, last, default="")
        value = value.replace("\r\n", "\n")
        if isinstance(old, bool):
            place[last] = value == "good"
        elif value != str(old or "").replace("\r\n", "\n"):
            place[last] = value
    return changed


def read_json(text: str) -> dict[str, Any]:
    """The record that somebody wrote as JSON. Raises InvalidInput with the place of the fault."""
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise InvalidInput(
            f"This is not JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"This is not JSON that can be stored: {error}.") from error
    if not isinstance(found, dict):
        raise InvalidInput("A row is a JSON object: it begins with { and ends with }.")
    return found


def skeleton(kind: Kind) -> dict[str, Any]:
    """An empty record of `kind`, to be filled in."""
    user, assistant = {"role": "user", "content": ""}, {"role": "assistant", "content": ""}
    match kind:
        case Kind.CHAT:
            return {"messages": [user, assistant]}
        case Kind.PREFERENCE:
            return {
                "input": {"messages": [user]},
                "preferred_output": [assistant],
                "non_preferred_output": [dict(assistant)],
            }
        case Kind.UNPAIRED:
            return {"prompt": [user], "completion": [assistant], "label": True}
        case Kind.LABELLED:
            return {"text": "", "label": ""}


def _section(record: Mapping[str, Any], path: str, title: str) -> Section:
    found: Any = record
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    fields: list[TextField] = []
    has_more = False
    for index, message in enumerate(found if isinstance(found, list) else []):
        if not isinstance(message, dict):
            has_more = True
            continue
        content = message.get("content")
        role = str(message.get("role", ""))
        if set(message) - {"role", "content"} or not isinstance(content, str | None):
            has_more = True
        if not isinstance(content, str | None) or (content is None and message.get("tool_calls")):
            continue
        at = f"text.{path}.{index}"
        roles = ROLES if role in ROLES else (role, *ROLES)
        fields.append(
            TextField(
                f"{at}.content",
                role,
                content or "",
                is_long=True,
                role=TextField(f"{at}.role", "Role", role, choices=roles),
            )
        )
    return Section(title, fields, has_more)


def _plain(record: Mapping[str, Any], name: str, label: str, kind: Kind) -> TextField:
    value = record.get(name)
    if kind is Kind.UNPAIRED:
        judged = "good" if value else "bad"
        return TextField(f"text.{name}", label, judged, choices=("good", "bad"))
    return TextField(f"text.{name}", label, str(value or ""), is_long=name == "text")


def _step(place: Any, step: str, default: Any = None) -> Any:
    """One step into a record. Raises InvalidInput where the form names what is not there."""
    if isinstance(place, list) and step.isdecimal() and int(step) < len(place):
        return place[int(step)]
    if isinstance(place, dict):
        if step in place:
            return place[step]
        if default is not None:
            return default
    raise InvalidInput("The form does not fit this example any more. Open it again.")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
