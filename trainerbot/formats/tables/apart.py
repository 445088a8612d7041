"""Workbooks and Parquet are read in a process of their own, with little memory and time.

Their libraries are Rust and C++ and believe what a file says of itself: a
hostile one can make them ask for many GB or abort. There it ends one small
process, and a sentence says so. Ours also stays free of their 60 MB.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import msgspec

import trainerbot
from trainerbot.formats.report import Problem, of_file
from trainerbot.formats.tables.heads import Event, Heading, TableKind

MAX_FRAME_BYTES: Final = 256 * 1024 * 1024
"""Longest line that the reading process may send; it sends far shorter ones."""


class Told(msgspec.Struct, omit_defaults=True):
    """One line from the reading process: a heading, a row or a problem."""

    columns: tuple[str, ...] | None = None
    sheets: tuple[str, ...] = ()
    line: int = 0
    cells: list[Any] | None = None
    problem: Problem | None = None
    end: bool = False


_decode: Final = msgspec.json.Decoder(Told).decode


def read(
    path: str | os.PathLike[str], kind: TableKind, *, sheet: str | None = None
) -> Iterator[Event]:
    """Yield the events of a workbook or a Parquet file, from a process that may die of it.

    The process ends with the iterator. Raises OSError when the file cannot be
    opened.
    """
    with Path(path).open("rb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "trainerbot.formats.tables", kind, sheet or ""],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                "PYTHONPATH": str(Path(trainerbot.__path__[0]).parent),
                # Arenas of other allocators count against the limit before they are used.
                "ARROW_DEFAULT_MEMORY_POOL": "system",
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
            },
        )
    assert process.stdout is not None
    try:
        yield from _follow(process.stdout, kind)
    finally:
        process.stdout.close()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


def _follow(stdout: IO[bytes], kind: TableKind) -> Iterator[Event]:
    columns: tuple[str, ...] = ()
    while line := stdout.readline(MAX_FRAME_BYTES):
        if not line.endswith(b"\n"):
            break
        told = _decode(line)
        if told.end:
            return
        if told.problem is not None:
            yield told.problem
        elif told.columns is not None:
            columns = told.columns
            yield Heading(columns, told.sheets)
        elif told.cells is not None:
            yield told.line, dict(zip(columns, told.cells, strict=True))
    # It died without a word: out of memory, out of time, or the library gave up.
    yield of_file("invalid_file_format", _DIED[kind == "parquet"])


_DIED: Final = (
    "This workbook is damaged, or reading it takes more than 1 GiB of memory or 10 minutes. "
    "Save the sheet as CSV and try again.",
    "This Parquet file is damaged, or reading it takes more than 1 GiB of memory or 10 minutes. "
    "Write it again in smaller row groups, or as CSV.",
)
