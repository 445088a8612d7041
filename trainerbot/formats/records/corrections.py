"""The original bot's corrections_log.txt: what it said, and what it should have said."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from trainerbot.formats.jsonl import MAX_LINE_BYTES, empty
from trainerbot.formats.recognition import BOM
from trainerbot.formats.records.messages import assistant, user
from trainerbot.formats.report import Problem, of_line

_ORIGINAL: Final = b"Original: "
_CORRECTION: Final = b"Correction: "
_FEEDBACK: Final = "Feedback"


class Entry(NamedTuple):
    """One entry as it lies: the line it begins on, and its lines."""

    line: int
    lines: tuple[bytes, ...]


def begins_like_a_log(head: bytes) -> bool:
    """Say whether a file begins as the log does."""
    body = head.removeprefix(BOM).lstrip()
    return body.startswith(_ORIGINAL) and re.search(rb"[\r\n]Correction: ", body) is not None


def read_entries(file: BinaryIO) -> Iterator[Entry | Problem]:
    """Yield the entries of a log, each up to the blank line before the next "Original: ".

    So texts of several lines stay whole, even with blank lines in them.
    """
    lines: list[bytes] = []
    begun, number, n_bytes, too_long, blank = 1, 0, 0, False, True
    whole = True
    while raw := file.readline(MAX_LINE_BYTES):
        number += whole
        whole = raw.endswith(b"\n")
        line = raw.rstrip(b"\r\n")
        if number == 1:
            line = line.removeprefix(BOM)
        if line.startswith(_ORIGINAL) and blank:
            if any(lines) or too_long:
                yield _too_long(begun) if too_long else Entry(begun, tuple(lines))
            lines, begun, n_bytes, too_long = [], number, 0, False
        n_bytes += len(raw)
        too_long = too_long or n_bytes > MAX_LINE_BYTES
        if too_long:
            lines = []
        elif line.strip() or lines:
            lines.append(line)
        elif not lines:
            begun = number + 1
        blank = not line.strip()
    if any(lines) or too_long:
        yield _too_long(begun) if too_long else Entry(begun, tuple(lines))
    elif number == 0 or not lines:
        yield empty()


def read_corrections(path: Path) -> Iterator[tuple[int, dict[str, Any]] | Problem]:
    """Yield line and chat record of each correction.

    The log does not hold what was asked. So the bot's words become the
    question and the correction its answer; feedback, which answers nothing,
    is left out with a warning.
    """
    with path.open("rb") as file:
        for entry in read_entries(file):
            if isinstance(entry, Problem):
                yield entry
            else:
                yield _read_entry(entry)


def _read_entry(entry: Entry) -> tuple[int, dict[str, Any]] | Problem:
    cuts = [i for i, line in enumerate(entry.lines) if line.startswith(_CORRECTION)]
    if not entry.lines[0].startswith(_ORIGINAL) or not cuts:
        text = 'an entry has a line "Original: ..." and a line "Correction: ...".'
        return of_line(entry.line, "invalid_entry", text)
    if len(cuts) > 1:
        text = 'several lines begin with "Correction: ". Part them by hand.'
        return of_line(entry.line, "invalid_entry", text)
    try:
        said = b"\n".join(entry.lines[: cuts[0]]).removeprefix(_ORIGINAL).decode().strip()
        meant = b"\n".join(entry.lines[cuts[0] :]).removeprefix(_CORRECTION).decode().strip()
    except UnicodeDecodeError:
        text = "not UTF-8. Save the file as UTF-8 and try again."
        return of_line(entry.line, "invalid_encoding", text)
    if "\0" in said or "\0" in meant:
        return of_line(entry.line, "nul_character", "a NUL character, which databases cannot hold.")
    if said == _FEEDBACK:
        return Problem(
            entry.line,
            "feedback",
            f"Line {entry.line}: feedback that answers nothing in particular; it was left out.",
            severity="warning",
        )
    if not said or not meant:
        return of_line(entry.line, "missing_content", "one of the two texts is empty.")
    record: dict[str, Any] = {"messages": [user(said), assistant(meant)]}
    return entry.line, {**record, "metadata": {"source": "corrections_log"}}


def _too_long(line: int) -> Problem:
    limit = MAX_LINE_BYTES // 2**20
    return of_line(line, "line_too_long", f"an entry longer than {limit} MiB. Shorten it.")
