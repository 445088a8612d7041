"""One line or row of a file as text, to be shown beside what is wrong with it."""

import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from trainerbot.formats.jsonl import MAX_LINE_BYTES, Line
from trainerbot.formats.recognition import BOM
from trainerbot.formats.records.corrections import Entry, read_entries
from trainerbot.formats.records.item import Item
from trainerbot.formats.report import Problem
from trainerbot.formats.rows import Options
from trainerbot.formats.sources.contents import look_into
from trainerbot.formats.sources.layout import Layout, lay_out, read_items, read_raw
from trainerbot.formats.sources.plain import on_disk
from trainerbot.formats.tables import TableHead

MAX_CHARACTERS: Final = 4000

# A character of UTF-8 has at most four bytes.
_MAX_BYTES: Final = 4 * MAX_CHARACTERS
_STEP_BYTES: Final = 64 * 1024
_NO_OPTIONS = Options()


def excerpt(
    path: str | os.PathLike[str],
    line: int,
    *,
    format: str,
    options: Options = _NO_OPTIONS,
    place: str = "",
) -> str:
    """Return what stands at a line, row or element, clipped at 4,000 characters.

    `line` and `place` are those of a Row or Problem; line 0 means the file's
    beginning. "" when there is nothing. Bytes that are no text come as
    replacement characters, NUL as its symbol. Raises OSError when the file
    cannot be read.
    """
    with look_into(Path(path)) as contents:
        if isinstance(contents, Problem):
            return ""
        named = [member for member in contents.members if member.name == place]
        member = named[0] if named else None if place else contents.members[0]
        if member is None:
            return ""
        with on_disk(member) as plain:
            if isinstance(plain, Problem):
                return ""
            if line <= 0 or format == "texts":
                return _beginning(plain)
            found = next(_find(plain, line, format, options, member.name), "")
    return _clip(found)


def _find(path: Path, line: int, format: str, options: Options, filename: str) -> Iterator[str]:
    """Yield what stands at a line, if anything does."""
    if format == "corrections-log":
        with path.open("rb") as file:
            for entry in read_entries(file):
                if isinstance(entry, Entry) and entry.line == line:
                    yield _text(b"\n".join(entry.lines)[:_MAX_BYTES])
        return
    layout = lay_out(path, filename=filename)
    if isinstance(layout, TableHead):
        for row in read_items(path, layout, sheet=options.sheet):
            if isinstance(row, Item) and row.line == line:
                yield "\n".join(f"{column}: {_cell(cell)}" for column, cell in row.value.items())
    elif isinstance(layout, Problem) or layout in ("lines", "text"):
        with path.open("rb") as file:
            yield _text(_read_line(file, line)).rstrip()
    else:
        yield from _find_element(path, layout, line)


def _find_element(path: Path, layout: Layout, number: int) -> Iterator[str]:
    for element in read_raw(path, layout):
        if isinstance(element, Line) and element.number == number:
            yield _text(element.raw[:_MAX_BYTES])


def _read_line(file: BinaryIO, number: int) -> bytes:
    """Return the beginning of a line, however long it and those before it are."""
    at = 1
    while at < number and (piece := file.readline(MAX_LINE_BYTES)):
        at += piece.endswith(b"\n")
    raw = file.readline(_STEP_BYTES) if at == number else b""
    return raw.removeprefix(BOM)[:_MAX_BYTES]


def _beginning(path: Path) -> str:
    with path.open("rb") as file:
        return _clip(_text(file.read(_MAX_BYTES).removeprefix(BOM)))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value[: MAX_CHARACTERS + 1]
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _clip(text: str) -> str:
    text = text.replace("\0", "\N{SYMBOL FOR NULL}")
    if len(text) <= MAX_CHARACTERS:
        return text
    return "".join(islice(text, MAX_CHARACTERS - 1)) + "…"
