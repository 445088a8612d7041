"""What a record says: its words for people, and one number for its exact content."""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final

from trainerbot.formats.rows import Kind

# Between two values. White space around it folds away, and no importer lets a
# NUL into a record.
_SEPARATOR: Final = " \x00 "

# What str.split() takes for white space in ASCII.
_SPACES: Final = bytes.maketrans(b"\t\n\v\f\r\x1c\x1d\x1e\x1f", b" " * 9)

# What a plain message has; whatever else it carries is part of what it teaches.
_PLAIN: Final = frozenset({"role", "content"})

# Names of a call or an uploaded file: they differ between equal records.
_IDENTIFIERS: Final = frozenset({"id", "tool_call_id", "file_id"})

_SYSTEM_ROLES: Final = frozenset({"system", "developer"})

# Where the messages of each kind are, in the order in which they are read; before those of
# a preference come the messages of its input.
MESSAGE_LISTS: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.CHAT: ("messages",),
    Kind.PREFERENCE: ("preferred_output", "non_preferred_output"),
    Kind.UNPAIRED: ("prompt", "completion"),
    Kind.LABELLED: (),
}


def text_of(record: Mapping[str, Any], kind: Kind) -> str:
    """Return all that a person reads in a record, one value a line: what search indexes.

    Contents of messages, text parts, refusals, names and arguments of tool
    calls; the text of a labelled record. No roles, keys, ids, labels or tool
    definitions. What is malformed is left out; nothing raises.
    """
    if kind == Kind.LABELLED:
        return _string(record.get("text"))
    return "\n".join(_said(messages_of(record, kind)))


def wording_of(record: Mapping[str, Any], kind: Kind) -> str:
    """Return what near duplicates are judged by: `text_of` without instructions to the model.

    A whole dataset often shares one long system message. It would make every
    record like every other, whatever was asked and answered.
    """
    if kind == Kind.LABELLED:
        return _string(record.get("text"))
    messages = messages_of(record, kind)
    return "\n".join(_said(m for m in messages if m.get("role") not in _SYSTEM_ROLES))


def fingerprint(record: Mapping[str, Any], kind: Kind) -> int:
    """Return a signed 64-bit digest of a record's content: equal for exact duplicates.

    Equal are records that differ in case, white space, Unicode spelling (NFKC),
    order of keys, ids of tool calls, and whatever is not taught (metadata, the
    name of a labelled record). Roles, labels, tools and the order of preferred
    and rejected answers count: the same words under another label are a
    contradiction, not a duplicate.

    BLAKE2b, first 8 bytes, big-endian; the same on every machine and Python
    for all characters that its Unicode tables know. Two different records
    among a million collide with a chance of 1 in 37 million.
    """
    if kind == Kind.LABELLED:
        values = [kind, _string(record.get("label")), _string(record.get("text"))]
    else:
        values = _taught(record, kind)
    folded = _fold(_SEPARATOR.join(values))
    return int.from_bytes(blake2b(folded, digest_size=8).digest(), "big", signed=True)


def _fold(text: str) -> bytes:
    """Return `text` as UTF-8, NFKC, casefolded, with single spaces for white space."""
    if not text.isascii():
        folded = unicodedata.normalize("NFKC", text).casefold()
        folded = unicodedata.normalize("NFKC", folded)
        return " ".join(folded.split()).encode("utf-8", "surrogatepass")
    # The same for ASCII, in a third of the time.
    spaced = text.lower().encode().translate(_SPACES)
    while b"  " in spaced:
        spaced = spaced.replace(b"  ", b" ")
    return spaced.strip()


def messages_of(record: Mapping[str, Any], kind: Kind) -> Iterator[dict[str, Any]]:
    """Yield every message of a record in reading order. None for a labelled one."""
    if kind == Kind.PREFERENCE:
        given = record.get("input")
        yield from _messages(given.get("messages") if isinstance(given, dict) else None)
    for name in MESSAGE_LISTS[kind]:
        yield from _messages(record.get(name))


def _messages(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for message in value:
            if isinstance(message, dict):
                yield message


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _said(messages: Iterator[dict[str, Any]]) -> Iterator[str]:
    for message in messages:
        content = message.get("content")
        if isinstance(content, str):
            yield content
        elif isinstance(content, list):
            for part in content:
                if isinstance(part, dict):
                    yield from filter(None, (_string(part.get(k)) for k in ("text", "refusal")))
        yield from filter(None, (_string(message.get("refusal")),))
        if "tool_calls" in message or "function_call" in message:
            yield from _called(message)


def _called(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names and the arguments of a message's tool calls."""
    calls = message.get("tool_calls")
    functions = [c.get("function") for c in calls if isinstance(c, dict)] if isinstance(calls, list) else []  # fmt: skip
    for function in (*functions, message.get("function_call")):
        if isinstance(function, dict):
            yield _string(function.get("name"))
            yield from _scalars(_parsed(function.get("arguments")))


def _parsed(arguments: Any) -> Any:
    """Return what the arguments of a call say, or their text where it is no JSON."""
    try:
        return json.loads(arguments)
    except (TypeError, ValueError, RecursionError):
        return arguments


def _scalars(value: Any) -> Iterator[str]:
    """Yield every value of a parsed JSON, in order, as a person would read it."""
    # A list of our own instead of recursion: arguments may nest 100,000 deep.
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list):
            waiting.extend(reversed(item))
        elif isinstance(item, str):
            yield item
        elif item is not None:
            yield json.dumps(item)


def _taught(record: Mapping[str, Any], kind: Kind) -> list[str]:
    """Return everything of a record of messages that a model is taught by."""
    values: list[str] = [kind]
    # Where one list ends and the next begins must show: the same answers,
    # preferred and rejected the other way round, teach the opposite.
    lists = [record.get(name) for name in MESSAGE_LISTS[kind]]
    settings: Any = record
    if kind == Kind.PREFERENCE:
        settings = record.get("input")
        lists.insert(0, settings.get("messages") if isinstance(settings, dict) else None)
    elif kind == Kind.UNPAIRED:
        values.append(json.dumps(record.get("label")))
    if isinstance(settings, dict) and len(settings) > 1:
        values.extend(_settings(settings))
    for messages in lists:
        values.append("")
        for message in messages if isinstance(messages, list) else ():
            if not isinstance(message, dict):
                continue
            role, content = message.get("role"), message.get("content")
            if len(message) == 2 and isinstance(content, str) and isinstance(role, str):
                values += (role, content)
            else:
                values.extend(_unusual(message))
    return values


def _settings(given: Mapping[str, Any]) -> Iterator[str]:
    for name in ("tools", "functions", "parallel_tool_calls", "response_format"):
        if given.get(name) is not None:
            yield name
            yield _written(given[name])


def _unusual(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message that has more than a role and a plain text, or less."""
    content = message.get("content")
    yield _string(message.get("role"))
    yield content if isinstance(content, str) else _written(_without_ids(content))
    for name in sorted(message.keys() - _PLAIN - _IDENTIFIERS):
        if message[name] is not None:
            yield name
            yield _written(_without_ids(message[name]))


def _written(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    except (RecursionError, TypeError):
        # Deeper than Python's stack, or keys of two types: its values still count.
        return "\n".join(_scalars(value))


def _without_ids(value: Any) -> Any:
    """Return tool calls or parts without what differs between equal records.

    Arguments are read as JSON, so that spaces in them do not matter.
    """
    if not isinstance(value, list):
        return value
    return [_without_id(item) if isinstance(item, dict) else item for item in value]


def _without_id(item: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in item.items() if key not in _IDENTIFIERS}
    function = kept.get("function")
    if isinstance(function, dict):
        kept["function"] = function | {"arguments": _parsed(function.get("arguments"))}
    return kept
