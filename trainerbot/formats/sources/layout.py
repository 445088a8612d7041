"""How a plain file is laid out: rows on lines, in an array, in a table, or one text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from trainerbot.formats import tables
from trainerbot.formats.jsonl import Line, empty, parse_value, read_lines
from trainerbot.formats.recognition import BOM, HEAD_BYTES
from trainerbot.formats.records.item import Item
from trainerbot.formats.report import Problem, of_file
from trainerbot.formats.sources.splitting import split_array, split_values
from trainerbot.formats.tables import TableHead

Layout = Literal["lines", "array", "values", "text"]

# Parquet, encrypted Parquet, XLSX and the old workbooks; other bytes with NUL are no table.
_PACKED_TABLES: Final = (b"PAR1", b"PARE", b"PK", b"\xd0\xcf\x11\xe0")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")  # Excel's "Unicode text"; half of it is NUL

_SPACE: Final = b" \t\r\n"


def lay_out(path: Path, *, filename: str = "") -> Layout | TableHead | Problem:
    """Return how the records of a plain file lie in it, told by its beginning.

    A table comes as its heading. Raises OSError when the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        whole = not file.read(1)
    body = head.removeprefix(BOM).lstrip(_SPACE)
    if not body:
        if whole:
            return empty()
        return "lines"
    if json := _lay_out_json(body):
        return json
    if head.startswith((*_PACKED_TABLES, *_UTF16)) or b"\0" not in head:
        table = tables.sniff(path, filename=filename)
        if table is not None:
            return table
    if b"\0" in head:
        return of_file(
            "invalid_encoding",
            "This file is not text: it holds NUL bytes. Give JSON, CSV, XLSX, Parquet or plain text.",
        )
    return "text"


def _lay_out_json(body: bytes) -> Layout | None:
    first, _, rest = body.partition(b"\n")
    first, rest = first.strip(_SPACE), rest.lstrip(_SPACE)
    if body.startswith(b"["):
        lines = first.endswith(b"]") and rest.startswith(b"[") and _is_json(first)
        return "lines" if lines else "array"
    if body.startswith(b"{"):
        # A bracket that its own line leaves open, and more after it.
        spread = first[-1:] in (b"{", b"[", b",", b":") and rest and not _is_json(first)
        return "values" if spread else "lines"
    # One odd line does not make a JSONL file anything else.
    second = rest.partition(b"\n")[0].strip(_SPACE)
    if second.startswith(b"{") and second.endswith(b"}") and _is_json(second):
        return "lines"
    return None


def _is_json(line: bytes) -> bool:
    return not isinstance(parse_value(Line(0, line)), Problem)


def read_items(
    path: Path, layout: Layout | TableHead, *, sheet: str | None = None
) -> Iterator[Item | Problem]:
    """Yield the elements of a plain file and every problem, in the file's order.

    Holds one element at a time. Never raises for what is in the file.
    """
    if isinstance(layout, TableHead):
        for row in tables.rows(path, sheet=sheet):
            yield row if isinstance(row, Problem) else Item(*row, from_table=True)
        return
    for line in read_raw(path, layout):
        if isinstance(line, Problem):
            yield line
            continue
        value = parse_value(line)
        yield value if isinstance(value, Problem) else Item(line.number, value)


def read_raw(path: Path, layout: Layout) -> Iterator[Line | Problem]:
    """Yield the elements of a plain JSON file as their bytes."""
    with path.open("rb") as file:
        if layout in ("array", "values"):
            file.seek(len(BOM) if file.read(len(BOM)) == BOM else 0)
            yield from (split_array if layout == "array" else split_values)(file)
        else:
            yield from read_lines(file, is_jsonl=layout == "lines")
