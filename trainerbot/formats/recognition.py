"""Telling what a file or a row is when it is not what was asked for."""

import json
from collections.abc import Mapping
from typing import Any, Final

from trainerbot.formats.report import Problem, of_file

HEAD_BYTES: Final = 64 * 1024
"""How much of a file's beginning `refuse_file` wants to see."""

BOM: Final = b"\xef\xbb\xbf"

# What the first bytes of files say that nobody can read here.
_FOREIGN: Final = (
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard; unpack it first"),
    (b"BZh", "compressed with bzip2; unpack it first"),
    (b"\xfd7zXZ\x00", "compressed with xz; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; pack it as ZIP"),
    (b"Rar!", "a RAR archive; pack it as ZIP"),
    (b"%PDF", "a PDF; training data is text, one JSON object a line"),
    (b"SQLite format 3\x00", "an SQLite database; export the rows as JSONL"),
    (b"\x7fELF", "a program"),
    (b"GGUF", "a model; training data is text"),
    (b"\x89PNG", "a picture; training data is text"),
    (b"\xff\xd8\xff", "a picture; training data is text"),
    (b"OggS", "a sound file; training data is text"),
)

# Those, and what is read here but cannot be JSONL.
_SIGNATURES: Final = (
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet; unpack it, or export it as JSONL"),
    (b"PAR1", "a Parquet file; export it as JSONL"),
    *_FOREIGN,
)

_CHAT: Final = 'one {"messages": [{"role": ..., "content": ...}, ...]} a line'

# The keys that give a row's kind away, most telling first.
_ROW_KINDS: Final[tuple[tuple[frozenset[str], str], ...]] = (
    (frozenset({"preferred_output", "non_preferred_output"}), "preference (DPO) data"),
    (frozenset({"chosen", "rejected"}), "preference (DPO) data"),
    (frozenset({"chosen_messages", "rejected_messages"}), "preference (DPO) data"),
    (frozenset({"kto_tag"}), "preference (KTO) data"),
    (frozenset({"custom_id", "method", "url"}), "a Batch API request"),
    (frozenset({"conversations"}), "ShareGPT data (conversations of from and value)"),
    (frozenset({"instruction", "output"}), "Alpaca data (instruction, input, output)"),
    (frozenset({"prompt", "completion"}), "a legacy prompt and completion pair"),
    (frozenset({"prompt", "response"}), "a prompt and response pair"),
    (frozenset({"question", "answer"}), "a question and answer pair"),
    (frozenset({"input", "output"}), "an input and output pair"),
    (frozenset({"role", "content"}), "a single message"),
    (frozenset({"text"}), "plain text without roles"),
)


def describe_row(record: Mapping[str, Any]) -> str | None:
    """Return what kind of training row this looks like, or None when it is unknown."""
    for keys, kind in _ROW_KINDS:
        if keys <= record.keys():
            return kind
    return None


def refuse_file(head: bytes) -> Problem | None:
    """Return why a file that begins with `head` cannot be JSONL at all, or None.

    `head` is the first HEAD_BYTES of the file, or all of it when it is
    shorter. Only what holds for every line is said here; single bad lines are
    left to the reader.
    """
    if wide := wide_encoding(head):
        return of_file(
            "invalid_encoding",
            f"This file is {wide[:6].upper()}, not UTF-8. Save it as UTF-8 and try again.",
        )
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return of_file("invalid_file_format", f"This file is {kind}.")
    body = head.removeprefix(BOM).lstrip()
    if not body:
        # White space alone may go on after the head; the reader says so then.
        return None
    if body.startswith(b"["):
        return _refuse_array(body)
    first, _, rest = body.partition(b"\n")
    if first.strip() == b"{" and rest:
        return of_file(
            "invalid_file_format",
            "This file is JSON spread over several lines, not JSONL. Put each example on one "
            f"line: {_CHAT}.",
        )
    if columns := _describe_columns(first):
        return of_file(
            "invalid_file_format",
            f"This looks like {columns}, not JSONL. Convert it to {_CHAT}.",
        )
    return None


def refuse_foreign(head: bytes) -> Problem | None:
    """Return why a file that begins with `head` can be read as nothing at all, or None."""
    for signature, kind in _FOREIGN:
        if head.startswith(signature):
            return of_file("invalid_file_format", f"This file is {kind}.")
    if head[257:262] == b"ustar":
        return of_file("invalid_file_format", "This file is a tar archive; pack it as ZIP.")
    return None


def wide_encoding(head: bytes) -> str | None:
    """Return Python's name of the encoding when it is UTF-16 or UTF-32, or None."""
    if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "utf-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    # Without a byte order mark: ASCII's other half is zero, "{" comes as 7B 00.
    if len(head) >= 4 and (head[0] == 0) != (head[1] == 0) and (head[2] == 0) != (head[3] == 0):
        return "utf-16-be" if head[0] == 0 else "utf-16-le"
    return None


def _refuse_array(body: bytes) -> Problem:
    """Say that a JSON array is no JSONL, and what its first element looks like."""
    text = body.decode("utf-8", errors="replace")
    start = len(text) - len(text[1:].lstrip())
    kind = None
    try:
        first, _ = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        first = None  # The first element is longer than the head, or broken.
    if isinstance(first, dict) and "messages" not in first:
        kind = describe_row(first)
    told = f" of what looks like {kind}" if kind else ""
    return of_file(
        "invalid_file_format",
        f"This file is a JSON array{told}, not JSONL. Convert it to {_CHAT}.",
    )


def _describe_columns(first_line: bytes) -> str | None:
    line = first_line.decode("utf-8", errors="replace").strip()
    if line.startswith("{"):
        return None
    for delimiter, name in (("\t", "tab-separated values"), (",", "CSV"), (";", "CSV")):
        columns = [column.strip().strip('"') for column in line.split(delimiter)]
        # A heading: short words. Prose with a comma in it has longer parts.
        if len(columns) > 1 and all(0 < len(column) <= 40 for column in columns):
            return f"{name} (columns {', '.join(columns[:6])})"
    return None
