"""Chat rows of the common kind that nothing can be wrong with, found at one microsecond each."""

from io import BytesIO
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from trainerbot.formats.jsonl import Line


class _PlainMessage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, msgspec.Meta(min_length=1)]


class _PlainRow(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: Annotated[list[_PlainMessage], msgspec.Meta(min_length=1)]


_Words = Annotated[str, msgspec.Meta(min_length=1)]


class _Told(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["system", "developer"]
    content: _Words


class _Asked(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["user"]
    content: _Words


class _Answered(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["assistant"]
    content: _Words


class _Pair(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The commonest row: a question and its answer."""

    messages: tuple[_Asked, _Answered]


class _Triple(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The same under a system message."""

    messages: tuple[_Told, _Asked, _Answered]


class Sifted(NamedTuple):
    """A block of lines taken apart: how many are plain, and every other one that is not blank."""

    n_plain: int
    odd: list[Line]
    n_lines: int


_decode: Final = msgspec.json.Decoder(_PlainRow).decode
_decode_pair: Final = msgspec.json.Decoder(_Pair).decode
_decode_triple: Final = msgspec.json.Decoder(_Triple).decode
_FAULTS: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# Two quotes for "messages", eight for each message's keys and values: a key
# given twice, which msgspec lets pass, makes more.
_ROW_QUOTES: Final = 2
_MESSAGE_QUOTES: Final = 8
_NUL: Final = b"\\u0000"


class _Odd(Exception):
    """A row that decodes, and still needs a closer look."""


def is_plain(raw: bytes) -> bool:
    """Say whether a row is of the common kind that nothing can be wrong with.

    True only for messages of a known role and a text that is not empty, with a
    user, and an assistant at the end. Everything else takes the exact way:
    here speed is what counts, there the reason.
    """
    try:
        messages = _decode(raw).messages
    except _FAULTS:
        return False
    return (
        messages[-1].role == "assistant"
        and any(message.role == "user" for message in messages)
        and not any(message.content.isspace() for message in messages)
        and _count_quotes(raw) == _ROW_QUOTES + _MESSAGE_QUOTES * len(messages)
        and _NUL not in raw
    )


def sift(block: bytes, first_line: int, *, max_plain_bytes: int) -> Sifted:
    """Take whole lines apart into those that `is_plain` takes, and the others.

    `block` begins at line number `first_line`. A line of more than
    `max_plain_bytes` counts as odd, whatever it holds.
    """
    if len(block) > max_plain_bytes and max(map(len, BytesIO(block))) > max_plain_bytes:
        return _sift_each(block, first_line, max_plain_bytes)
    # Each line is decoded as soon as it is cut, while it is in the processor's cache.
    lines = BytesIO(block)
    n_plain, n_each = _count_usual(lines, block)
    n_messages = n_plain * n_each
    rows = map(_decode, lines)
    odd: list[Line] = []
    n_blank = n_odd_quotes = 0
    while True:
        try:
            for row in rows:
                messages = row.messages
                for message in messages:
                    if message.content.isspace():
                        raise _Odd
                # Mostly the question stands right before the answer.
                if messages[-1].role != "assistant" or (
                    messages[-2].role != "user" and all(m.role != "user" for m in messages)
                ):
                    raise _Odd
                n_messages += len(messages)
                n_plain += 1
            break
        except (_Odd, IndexError, *_FAULTS):
            end = lines.tell()
        raw = block[block.rfind(b"\n", 0, end - 1) + 1 : end]
        if stripped := raw.strip():
            odd.append(Line(first_line + n_plain + n_blank + len(odd), stripped))
            n_odd_quotes += _count_quotes(raw)
        else:
            n_blank += 1
    # One count for the whole block: no row has fewer quotes than its messages
    # ask for, so the sums agree only if each row does.
    n_quotes = _ROW_QUOTES * n_plain + _MESSAGE_QUOTES * n_messages
    if _count_quotes(block) - n_odd_quotes != n_quotes or (b"\\" in block and _NUL in block):
        return _sift_each(block, first_line, max_plain_bytes)
    return Sifted(n_plain, odd, n_plain + n_blank + len(odd))


def _count_usual(lines: BytesIO, block: bytes) -> tuple[int, int]:
    """Count the rows up to the first that is not of the first line's shape, a usual one.

    Returns how many there are and how many messages each has, and leaves
    `lines` before that other row. The decoder sees to the roles, so that little
    is left to be asked of each row: a fifth of the time is saved.
    """
    n_each = block.count(b'"role"', 0, block.find(b"\n"))
    n_rows = 0
    try:
        if n_each == 3:
            for triple in map(_decode_triple, lines):
                told, asked, answered = triple.messages
                if told.content.isspace() or asked.content.isspace() or answered.content.isspace():
                    raise _Odd
                n_rows += 1
        elif n_each == 2:
            for pair in map(_decode_pair, lines):
                asked, answered = pair.messages
                if asked.content.isspace() or answered.content.isspace():
                    raise _Odd
                n_rows += 1
    except (_Odd, *_FAULTS):
        lines.seek(block.rfind(b"\n", 0, lines.tell() - 1) + 1)
    return n_rows, n_each


def _sift_each(block: bytes, first_line: int, max_plain_bytes: int) -> Sifted:
    odd: list[Line] = []
    n_plain = n_lines = 0
    for raw in BytesIO(block):
        stripped = raw.strip()
        if len(stripped) <= max_plain_bytes and is_plain(stripped):
            n_plain += 1
        elif stripped:
            odd.append(Line(first_line + n_lines, stripped))
        n_lines += 1
    return Sifted(n_plain, odd, n_lines)


def _count_quotes(raw: bytes) -> int:
    """Return how many quotes begin or end a string in valid JSON."""
    n_quotes = raw.count(b'"')
    if b"\\" in raw:
        # A quote behind a backslash is text, unless that backslash is text itself.
        n_quotes -= raw.replace(b"\\\\", b"").count(b'\\"')
    return n_quotes
