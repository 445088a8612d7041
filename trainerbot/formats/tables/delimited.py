"""CSV and its kin: text in rows, its cells parted by a comma, semicolon, tab or bar."""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trainerbot.formats.report import Problem, of_file
from trainerbot.formats.tables.encodings import HEAD_BYTES, decode_head
from trainerbot.formats.tables.formulas import restore
from trainerbot.formats.tables.heads import MAX_ROW_CHARS, Event, Heading, name_columns

DELIMITERS: Final = (",", ";", "\t", "|")
_N_COMPARED: Final = 50
_LONGEST_NAME_CHARS: Final = 80

# The csv module knows one limit for the whole process, 128 KiB at first; a
# row is measured before it gets there, so this one must never be met.
csv.field_size_limit(max(csv.field_size_limit(), 2 * MAX_ROW_CHARS))


def find_delimiter(head: str, *, whole: bool) -> str | None:
    """Return what parts the cells, or None when the text has no columns to see.

    The sign under which most rows have as many cells as the heading, two or
    more; of equals the one with the most columns. `whole` says that the text
    does not go on after `head`.
    """
    best: tuple[float, int] = (0.8, 1)  # worse than this is no table
    found = None
    for delimiter in DELIMITERS:
        rows = _first_rows(head, delimiter, whole=whole)
        if len(rows) < 1 + whole or not _may_be_heading(rows[0]):
            continue
        # Alone the heading counts when the row after it is longer than what is seen.
        alike = 0.9
        if rows[1:]:
            alike = sum(len(row) == len(rows[0]) for row in rows[1:]) / (len(rows) - 1)
        if len(rows[0]) > 1 and (alike, len(rows[0])) > best:
            best, found = (alike, len(rows[0])), delimiter
    return found


def sniff(path: str | os.PathLike[str], *, called_table: bool) -> str | Problem | None:
    """Return the delimiter of a text table, why it cannot be read, or None when it is none.

    `called_table` says that a person calls it a table, whatever it looks like.
    """
    with Path(path).open("rb") as raw:
        start = raw.read(HEAD_BYTES)
    decoded = decode_head(start)
    if isinstance(decoded, Problem):
        return decoded if called_table else None
    if not called_table and decoded.text.lstrip()[:1] in {"{", "[", ""}:
        return None
    delimiter = find_delimiter(decoded.text, whole=len(start) < HEAD_BYTES)
    if delimiter is None and called_table:
        return _only_delimiter(decoded.text)
    return delimiter


def read(path: str | os.PathLike[str]) -> Iterator[Event]:
    """Yield the events of a text table, holding one row at a time.

    A row with too few or too many cells, with bytes that are no text, or
    with a quote that ends amid a word is a Problem and left out; the next one
    is read. A quote that is never closed ends the reading, and so does a row
    longer than MAX_ROW_CHARS.
    """
    with Path(path).open("rb") as raw:
        start = raw.read(HEAD_BYTES)
        decoded = decode_head(start)
        if isinstance(decoded, Problem):
            yield decoded
            return
        raw.seek(0)
        whole = len(start) < HEAD_BYTES
        delimiter = find_delimiter(decoded.text, whole=whole) or _only_delimiter(decoded.text)
        # Bytes that are no UTF-8 come as lone surrogates, so that the row can be named.
        errors = "surrogateescape" if decoded.encoding == "utf-8-sig" else "strict"
        with io.TextIOWrapper(raw, decoded.encoding, errors=errors, newline="") as text:
            yield from _read(text, delimiter)


def _read(text: io.TextIOBase, delimiter: str) -> Iterator[Event]:
    lines = _Lines(text)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    heading: Heading | None = None
    number = 0
    while True:
        lines.begin()
        try:
            cells = next(rows)
        except StopIteration:
            break
        except csv.Error:
            if lines.ended:
                yield lines.unclosed(number)
                return
            number += 1
            yield lines.problem(number, "invalid_quote", _BAD_QUOTE)
            continue
        except _RowTooLong:
            yield lines.too_long(number)
            return
        except UnicodeDecodeError:
            yield of_file(
                "invalid_encoding",
                f"After line {lines.number} this file is not the UTF-16 text that it began as. "
                "Save it as UTF-8 and try again.",
            )
            return
        if heading is None:
            if not any(cell.strip() for cell in cells):
                continue
            if lines.complaint:
                yield lines.problem(0, *lines.complaint)
                return
            for event in name_columns(cells):
                yield event
                heading = event if isinstance(event, Heading) else None
            if heading is None:
                return
            continue
        number += 1
        if lines.complaint:
            yield lines.problem(number, *lines.complaint)
        elif len(cells) == len(heading.columns):
            if any(cells):
                yield number, dict(zip(heading.columns, map(restore, cells), strict=True))
        elif any(cells):
            yield lines.problem(
                number,
                "ragged_row",
                f"{_cells(len(cells))} where the heading has {len(heading.columns)}. "
                "Put texts that hold the delimiter between quotes.",
            )
    if heading is None:
        yield of_file("empty_file", "This table is empty. It needs a heading and a row.")


_BAD_QUOTE: Final = (
    "a quote ends amid a text. Double the quotes within a text, and put the text between quotes."
)


class _RowTooLong(Exception):
    """One row, with the lines between its quotes, is longer than MAX_ROW_CHARS."""


class _Lines:
    """The lines of a text, counted and measured on their way into the csv reader."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._text = text
        self._n_chars = 0
        self._first = 1
        self.number = 0
        self.ended = False
        self.complaint: tuple[str, str] | None = None

    def begin(self) -> None:
        """Forget the row before: the next line begins another one."""
        self._n_chars = 0
        self._first = self.number + 1
        self.complaint = None

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_ROW_CHARS - self._n_chars + 1)
        if not line:
            self.ended = True
            raise StopIteration
        self.number += 1
        self._n_chars += len(line)
        if self._n_chars > MAX_ROW_CHARS:
            raise _RowTooLong
        if "\0" in line:
            self.complaint = ("nul_character", "a NUL character, which no text holds. Remove it.")
        if not line.isascii():
            try:
                line.encode()
            except UnicodeEncodeError as error:
                byte = ord(line[error.start]) - 0xDC00
                self.complaint = (
                    "invalid_encoding",
                    f"not UTF-8 (0x{byte:02X}). Save the file as UTF-8 and try again.",
                )
        return line

    def problem(self, row: int, code: str, text: str) -> Problem:
        """Return what is wrong with row `row` (0: the heading), which ends at the line read last."""
        what = f"Row {row}" if row else "Heading"
        place = f"line {self._first}"
        if self.number > self._first:
            place = f"lines {self._first} to {self.number}"
        return Problem(row, code, f"Invalid file format. {what} ({place} of the file): {text}")

    def unclosed(self, row: int) -> Problem:
        """Return the Problem of a quote that is open at the end of the file."""
        return of_file(
            "unclosed_quote",
            f"Invalid file format. A quote that begins in row {row + 1} (line {self._first} of the "
            "file) is never closed. Close it, or double it if it belongs to the text.",
        )

    def too_long(self, row: int) -> Problem:
        """Return the Problem of a row that was given up."""
        return of_file(
            "row_too_long",
            f"Invalid file format. Row {row + 1} (from line {self._first} of the file) is longer "
            f"than {MAX_ROW_CHARS // 2**20} million characters. Look for a quote that is never "
            "closed, or split the row.",
        )


def _first_rows(head: str, delimiter: str, *, whole: bool) -> list[list[str]]:
    """Return the first rows of a text that may be cut at its end, as far as they can be read."""
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) > _N_COMPARED:
                return rows[:-1]
    except csv.Error:
        return rows
    return rows if whole else rows[:-1]


def _may_be_heading(cells: list[str]) -> bool:
    """Say whether these are names: short, on one line, not all of them empty."""
    return any(cell.strip() for cell in cells) and all(
        len(cell) <= _LONGEST_NAME_CHARS and "\n" not in cell.strip() for cell in cells
    )


def _only_delimiter(head: str) -> str:
    """Return the delimiter of a table that shows no columns: what its first line holds."""
    first = head.lstrip().partition("\n")[0]
    return max(DELIMITERS, key=lambda delimiter: (first.count(delimiter), delimiter == ","))


def _cells(number: int) -> str:
    return f"{number:,} cell" if number == 1 else f"{number:,} cells"
