"""What a table is: its columns, its sheets, its rows, and how much of each we bear."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from trainerbot.formats.report import Problem, of_file

TableKind = Literal["csv", "tsv", "xlsx", "parquet"]

MAX_ROW_CHARS: Final = 16 * 1024 * 1024
"""Characters in one row; as long as the longest line of JSONL."""

MAX_COLUMNS: Final = 1000
MAX_ROWS: Final = 10_000_000
N_SHOWN: Final = 5
"""Rows that a head shows."""


@dataclass(frozen=True, slots=True)
class TableHead:
    """What a file turned out to be, and its first rows.

    kind: "tsv" where tabs part the columns, "csv" for every other sign.
    columns: as the rows name them, see `Heading`. sheets: of a workbook, in
    its order; empty elsewhere. rows: the first 5 that can be read.
    """

    kind: TableKind
    columns: tuple[str, ...]
    sheets: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """The columns of a table in their order, each name once and none empty."""

    columns: tuple[str, ...]
    sheets: tuple[str, ...] = ()


Event = Heading | Problem | tuple[int, dict[str, Any]]
"""What a table is read as: warnings, one Heading, then its rows by number, and problems.

A Problem of line 0 that is an error is the last event. Rows count from 1
below the heading, empty ones too, as a spreadsheet shows them.
"""


def name_columns(cells: Sequence[str]) -> Iterator[Problem | Heading]:
    """Yield what is odd about a heading, then the names to use, each of them once."""
    if len(cells) > MAX_COLUMNS:
        yield of_file(
            "too_many_columns",
            f"This table has {len(cells):,} columns, over the limit of {MAX_COLUMNS:,}. "
            "Keep the columns that the training needs.",
        )
        return
    names: list[str] = []
    taken = {cell.strip() for cell in cells}
    used: set[str] = set()
    for number, cell in enumerate(cells, start=1):
        name = cell.strip()
        if not name:
            name = _free(f"column {number}", taken | used)
            yield _odd("empty_column", f'Column {number} has no name; it is called "{name}" here.')
        elif name in used:
            first, name = name, _free(name, taken | used)
            yield _odd(
                "duplicate_column",
                f'Two columns are called "{first[:80]}"; column {number} is called '
                f'"{name[:80]}" here.',
            )
        names.append(name)
        used.add(name)
    yield Heading(tuple(names))


def _free(name: str, taken: set[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free = f"{name} ({number})"
        number += 1
    return free


def _odd(code: str, text: str) -> Problem:
    return Problem(0, code, text, severity="warning")
