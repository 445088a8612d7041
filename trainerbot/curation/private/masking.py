"""Words in brackets for what is private, in a text or in a whole record."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from trainerbot.curation.private.findings import Finding, PrivateKind
from trainerbot.curation.private.searching import find_private
from trainerbot.curation.texts import MESSAGE_LISTS
from trainerbot.formats.rows import Kind

_PLACEHOLDER: Final = re.compile(
    rf"\[({'|'.join(re.escape(kind) for kind in PrivateKind)})(?: (\d{{1,6}}))?\]"
)

_BRACKET: Final = re.compile(r"[\[\]{}]")

MAX_DEPTH: Final = 100
"""JSON nested deeper is masked like any other text: Python's own stack has an end."""

# Where the human text of a message is, beside its content and its tool calls.
_TEXTS: Final = ("refusal", "reasoning_content")

_DIGITS_ONLY: Final = frozenset({PrivateKind.PHONE, PrivateKind.CARD})


class Masked(NamedTuple):
    """A text without what is private, and what `find_private` found in the text before."""

    text: str
    findings: list[Finding]


def mask(text: str) -> Masked:
    """Return a text with a placeholder for all that `find_private` finds.

    "[e-mail]" for the only one of its kind; "[e-mail 1]", "[e-mail 2]" for
    several, where the same value has the same number each time. Numbers go on
    from placeholders that are there already. Masking once more changes nothing.
    """
    first = findings = find_private(text)
    # A placeholder is shorter than what it stands for, so that a word such as
    # "phone" may come near enough to a number for one more finding.
    while findings:
        names = _Names()
        names.learn(text, findings)
        text = _replaced(text, findings, names)
        findings = find_private(text)
    return Masked(text, first)


def mask_record(record: dict[str, Any], kind: Kind) -> tuple[dict[str, Any], int]:
    """Return a record without what is private, and how many places were masked.

    Only what people read is touched: contents and text parts of messages,
    refusals, the text of a labelled record, and the values within the arguments
    of tool calls and other JSON, which stays JSON (a masked number becomes a
    string). Never keys, roles, ids, labels, names, metadata or tools. Numbers
    are those of `mask`, counted over the whole record. The given record is not
    changed; it is returned itself when there is nothing to mask.
    """
    n_masked = 0
    while True:
        names = _Names()
        _walk(record, kind, names.learn_all)
        if not names.n_found:
            return record, n_masked
        record = _walk(record, kind, names.replace_all)
        n_masked += names.n_found


@dataclass(slots=True)
class _Names:
    """The placeholders of one record, known once all of its texts were seen."""

    n_found: int = 0
    _mentions: Counter[PrivateKind] = field(default_factory=Counter)
    _values: dict[PrivateKind, dict[str, int]] = field(default_factory=dict)
    _taken: dict[str, int] = field(default_factory=dict)

    def learn(self, text: str, findings: list[Finding]) -> None:
        """Count the values in a text, and the placeholders that it already has."""
        for name, number in _PLACEHOLDER.findall(text) if "[" in text else ():
            self._taken[name] = max(self._taken.get(name, 0), int(number or 1))
        for finding in findings:
            known = self._values.setdefault(finding.kind, {})
            known.setdefault(_value(text, finding), len(known) + 1)
            self._mentions[finding.kind] += 1
        self.n_found += len(findings)

    def learn_all(self, text: str, findings: list[Finding]) -> str:
        """Do the same on a walk, which wants the text back."""
        self.learn(text, findings)
        return text

    def replace_all(self, text: str, findings: list[Finding]) -> str:
        """Put placeholders into a text on a walk, once all texts were learned."""
        return _replaced(text, findings, self)

    def name(self, text: str, finding: Finding) -> str:
        """Return the placeholder of a finding."""
        kind = finding.kind
        taken = self._taken.get(kind, 0)
        if self._mentions[kind] == 1 and not taken:
            return f"[{kind}]"
        return f"[{kind} {taken + self._values[kind][_value(text, finding)]}]"


def _value(text: str, finding: Finding) -> str:
    """Return what makes two mentions one: not how it was written."""
    written = text[finding.start : finding.end]
    if finding.kind in _DIGITS_ONLY:
        # A number abroad and at home: +7 912 ... and 8 912 ...
        digits = "".join(filter(str.isdigit, written))
        return digits[-10:] if finding.kind is PrivateKind.PHONE else digits
    if finding.kind is PrivateKind.IBAN:
        return written.replace(" ", "")
    return written.casefold() if finding.kind is PrivateKind.EMAIL else written


def _replaced(text: str, findings: list[Finding], names: _Names) -> str:
    pieces: list[str] = []
    end = 0
    for finding in findings:
        pieces += (text[end : finding.start], names.name(text, finding))
        end = finding.end
    return "".join((*pieces, text[end:]))


# What becomes of a text with its findings: the same, or the masked one.
_Step = Callable[[str, list[Finding]], str]


def _walk(record: dict[str, Any], kind: Kind, step: _Step) -> dict[str, Any]:
    """Return a copy of a record with `step` taken on each text that people read."""
    if kind == Kind.LABELLED:
        return _changed(record, "text", lambda text: _text(text, step))
    walked = record
    if kind == Kind.PREFERENCE and isinstance(record.get("input"), dict):
        given = _changed(record["input"], "messages", lambda value: _messages(value, step))
        walked = walked | {"input": given}
    for name in MESSAGE_LISTS[kind]:
        walked = _changed(walked, name, lambda value: _messages(value, step))
    return walked


def _changed(holder: dict[str, Any], name: str, change: Callable[[Any], Any]) -> dict[str, Any]:
    """Return an object with one value changed, in its place; without it, the object itself."""
    return holder | {name: change(holder[name])} if name in holder else holder


def _messages(messages: Any, step: _Step) -> Any:
    if not isinstance(messages, list):
        return messages
    return [_message(m, step) if isinstance(m, dict) else m for m in messages]


def _message(message: dict[str, Any], step: _Step) -> dict[str, Any]:
    def arguments(function: Any) -> Any:
        if not isinstance(function, dict):
            return function
        return _changed(function, "arguments", lambda value: _text(value, step))

    def calls(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [
            _changed(call, "function", arguments) if isinstance(call, dict) else call
            for call in value
        ]

    walked = _changed(message, "content", lambda content: _content(content, step))
    for name in _TEXTS:
        walked = _changed(walked, name, lambda text: _text(text, step))
    walked = _changed(walked, "function_call", arguments)
    return _changed(walked, "tool_calls", calls)


def _content(content: Any, step: _Step) -> Any:
    if not isinstance(content, list):
        return _text(content, step)
    parts = []
    for part in content:
        walked = part
        for name in ("text", "refusal") if isinstance(part, dict) else ():
            walked = _changed(walked, name, lambda text: _text(text, step))
        parts.append(walked)
    return parts


def _text(text: Any, step: _Step) -> Any:
    """Take a step on a text, or on the values of the JSON that it is."""
    if not isinstance(text, str):
        return text
    if not (holder := _holder(text)):
        return step(text, find_private(text))
    walked = _value_of("", holder, step)
    # Spacing, escapes and repeated keys stay as they were where nothing was found.
    return text if walked == holder else json.dumps(walked, ensure_ascii=False)


def _holder(text: str) -> Any:
    """Return the object or array that a text is as JSON, else None: prose in brackets too."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket in "{[" else -1
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _value_of(key: str, value: Any, step: _Step) -> Any:
    """Take a step on each value within parsed JSON; its key tells what it is."""
    if isinstance(value, dict):
        return {name: _value_of(name, item, step) for name, item in value.items()}
    if isinstance(value, list):
        return [_value_of(key, item, step) for item in value]
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        text = f"{key}: {value}" if key else str(value)
        skipped = len(text) - len(str(value))
        findings = [f for f in find_private(text) if f.start >= skipped]
        if findings:
            return step(text, findings)[skipped:]
    return value
