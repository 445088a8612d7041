"""Tables as training data: CSV and its kin, workbooks and Parquet, row by row."""

import os
from collections.abc import Iterator
from typing import Any

from trainerbot.formats.report import Problem
from trainerbot.formats.tables import apart, delimited, signatures
from trainerbot.formats.tables.heads import N_SHOWN, Event, Heading, TableHead, TableKind

__all__ = ["TableHead", "rows", "sniff"]


def sniff(path: str | os.PathLike[str], *, filename: str = "") -> TableHead | Problem | None:
    """Return what table a file is, why it cannot be read as one, or None when it is no table.

    `filename` is what a person calls the file: a text of one column is a
    table only under a name in .csv or .tsv. Reads little of it. Raises OSError.
    """
    container = signatures.tell(path)
    if container is None or isinstance(container, Problem):
        return container
    if container == "text":
        delimiter = delimited.sniff(path, called_table=_is_called_table(filename or str(path)))
        if delimiter is None or isinstance(delimiter, Problem):
            return delimiter
        return _head("tsv" if delimiter == "\t" else "csv", delimited.read(path))
    return _head(container, apart.read(path, container))


def rows(
    path: str | os.PathLike[str], *, sheet: str | None = None
) -> Iterator[tuple[int, dict[str, Any]] | Problem]:
    """Yield the rows of a table by their number below the heading, and every problem.

    Cells of CSV and workbooks are text; Parquet's are JSON values. Empty rows
    count and do not come. An error of line 0 is the last that comes. Bounded
    memory; never raises for what is in the file, OSError for the file itself.
    """
    for event in _events(path, sheet):
        if not isinstance(event, Heading):
            yield event


def _events(path: str | os.PathLike[str], sheet: str | None) -> Iterator[Event]:
    container = signatures.tell(path)
    if isinstance(container, Problem):
        yield container
    elif container is None:
        yield signatures.NOT_A_TABLE
    elif container == "text":
        yield from delimited.read(path)
    else:
        yield from apart.read(path, container, sheet=sheet)


def _head(kind: TableKind, events: Iterator[Event]) -> TableHead | Problem:
    heading: Heading | None = None
    shown: list[dict[str, Any]] = []
    for event in events:
        if isinstance(event, Heading):
            heading = event
        elif isinstance(event, Problem):
            if event.line == 0 and event.severity == "error":
                if heading is None:
                    return event
                break
        else:
            shown.append(event[1])
            if len(shown) == N_SHOWN:
                break
    assert heading is not None, "A table has a heading or an error of line 0."
    return TableHead(kind, heading.columns, heading.sheets, tuple(shown))


def _is_called_table(filename: str) -> bool:
    return filename.lower().endswith((".csv", ".tsv", ".tab"))
