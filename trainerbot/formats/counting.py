"""How many rows a file has, exactly where that is quick, and roughly where it is not."""

from itertools import islice
from pathlib import Path
from typing import Final

from trainerbot.formats.jsonl import Line
from trainerbot.formats.records.item import Item
from trainerbot.formats.report import Problem
from trainerbot.formats.sources.layout import Layout, read_items, read_raw
from trainerbot.formats.tables import TableHead

_EXACT_BYTES: Final = 16 * 2**20
_EXACT_TABLE_BYTES: Final = 2 * 2**20
_N_WEIGHED: Final = 200


def count_rows(path: Path, layout: Layout | TableHead) -> str:
    """Return the number of rows in words: "91 rows", "about 1,000,000 rows" or "rows"."""
    n_bytes = path.stat().st_size
    if isinstance(layout, TableHead):
        if n_bytes > _EXACT_TABLE_BYTES:
            return "rows"
        return _rows(sum(isinstance(each, Item) for each in read_items(path, layout)))
    if n_bytes <= _EXACT_BYTES:
        return _rows(sum(isinstance(each, Line) for each in read_raw(path, layout)))
    n_weighed = n_weighed_bytes = 0
    for line in islice(read_raw(path, layout), _N_WEIGHED):
        if isinstance(line, Problem):
            # One endless line says nothing about the others.
            return "rows"
        n_weighed += 1
        n_weighed_bytes += len(line.raw) + 1
        if n_weighed_bytes > _EXACT_BYTES:
            break
    if not n_weighed:
        return "rows"
    n_rows = n_bytes * n_weighed // n_weighed_bytes
    return f"about {round(n_rows, 2 - len(str(n_rows))):,} rows"


def _rows(n_rows: int) -> str:
    return f"{n_rows:,} row" if n_rows == 1 else f"{n_rows:,} rows"
