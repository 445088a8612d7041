"""The process that reads one workbook or Parquet file: `apart` starts it and listens.

Standard input is the file itself, standard output one `Told` a line.
"""

import os
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

import msgspec

from trainerbot.formats.report import Problem, of_file
from trainerbot.formats.tables.apart import MAX_FRAME_BYTES, Told
from trainerbot.formats.tables.heads import MAX_ROW_CHARS, MAX_ROWS, Event, Heading

MAX_MEMORY_BYTES: Final = 1024**3
"""Address space of this process; Python with pyarrow takes a third of it."""

MAX_CPU_S: Final = 600
MAX_ROW_BYTES: Final = 8 * MAX_ROW_CHARS
"""One row as JSON: a character of it may take six bytes there."""

FRAMES_BYTES: Final = 256 * 1024


def main(kind: str, sheet: str | None) -> None:
    """Write the events of the file on standard input, and `end` after the last one."""
    _limit()
    file = os.fdopen(os.dup(0), "rb")
    encoder = msgspec.json.Encoder()
    frames = bytearray()
    out = sys.stdout.buffer
    for n_sent, event in enumerate(_events(file, kind, sheet)):
        told = _told(event)
        frame = encoder.encode(told)
        if len(frame) > MAX_ROW_BYTES and told.cells is not None:
            frame = encoder.encode(Told(problem=_too_long(told.line)))
        assert len(frame) < MAX_FRAME_BYTES
        frames += frame
        frames += b"\n"
        # The first rows at once, for whoever wants only them.
        if n_sent < 10 or len(frames) > FRAMES_BYTES:
            out.write(frames)
            out.flush()
            frames.clear()
    frames += encoder.encode(Told(end=True)) + b"\n"
    out.write(frames)
    out.flush()


def _events(file: BinaryIO, kind: str, sheet: str | None) -> Iterator[Event]:
    if kind == "parquet":
        from trainerbot.formats.tables import parquet

        events = parquet.read(file)
    else:
        from trainerbot.formats.tables import workbook

        events = workbook.read(file, sheet=sheet)
    n_rows = 0
    for event in events:
        if isinstance(event, tuple):
            n_rows += 1
            if n_rows > MAX_ROWS:
                yield of_file(
                    "too_many_rows",
                    f"This table has more than {MAX_ROWS:,} rows. Split it.",
                )
                return
        yield event


def _told(event: Event) -> Told:
    if isinstance(event, Heading):
        return Told(columns=event.columns, sheets=event.sheets)
    if isinstance(event, Problem):
        return Told(problem=event)
    line, row = event
    return Told(line=line, cells=list(row.values()))


def _too_long(line: int) -> Problem:
    return Problem(
        line,
        "row_too_long",
        f"Invalid file format. Row {line}: longer than {MAX_ROW_BYTES // 2**20} MiB. "
        "Split this example into shorter ones.",
    )


def _limit() -> None:
    """Let the system stop this process before it takes the machine's memory or time."""
    try:
        import resource
    except ImportError:
        return  # Windows has no such limits; what the file says of itself is checked all the same.
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


main(sys.argv[1], sys.argv[2] or None)
