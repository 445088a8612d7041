"""Where each row of an archive came from and which part it is in: a small table beside the rows."""

from array import array
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from trainerbot.errors import InvalidInput
from trainerbot.formats.writing.archives import read_file
from trainerbot.formats.writing.files import whole_file

ROWS: Final = "rows.csv"
MAX_BYTES: Final = 256 * 1024 * 1024
MAX_SOURCES: Final = 65_535

_HEADING: Final = b"part,source\n"
_PARTS: Final = (b"", b"train", b"validation", b"test")
_LINES_AT_ONCE: Final = 10_000


def write_origins(path: Path, origins: Iterable[tuple[str, int]]) -> None:
    """Write (part, number of the source in the manifest, from 0) of every row, in their order."""
    with whole_file(path) as file:
        file.write(_HEADING)
        lines: list[str] = []
        for part, source in origins:
            lines.append(f"{part},{source}\n")
            if len(lines) == _LINES_AT_ONCE:
                file.write("".join(lines).encode())
                lines.clear()
        file.write("".join(lines).encode())


class Origins:
    """What `write_origins` wrote, by the row's number from 1; three bytes a row."""

    def __init__(self) -> None:
        self._parts = bytearray()
        self._sources = array("H")

    @classmethod
    def read(cls, archive: Path, *, n_sources: int) -> "Origins":
        """Raises InvalidInput when the table is damaged or names a source that is none."""
        found = cls()
        lines = _lines(read_file(archive, ROWS, max_bytes=MAX_BYTES))
        if next(lines, None) != _HEADING.rstrip():
            raise InvalidInput(_DAMAGED)
        for line in lines:
            part, _, source = line.partition(b",")
            if part not in _PARTS or not source.isdigit() or len(source) > 5:
                raise InvalidInput(_DAMAGED)
            number = int(source)
            if number >= n_sources:
                raise InvalidInput(_DAMAGED)
            found._parts.append(_PARTS.index(part))
            found._sources.append(number)
        return found

    def __len__(self) -> int:
        return len(self._parts)

    def of(self, number: int) -> tuple[str, int]:
        """(part, number of the source) of a row, the first being 1. Raises InvalidInput beyond."""
        if not 0 < number <= len(self._parts):
            raise InvalidInput(_DAMAGED)
        return _PARTS[self._parts[number - 1]].decode(), self._sources[number - 1]

    def counts(self, n_sources: int) -> list[int]:
        """How many rows each source has."""
        found = [0] * n_sources
        for source in self._sources:
            found[source] += 1
        return found


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in chain(pieces, [b""]):
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > 64:
            raise InvalidInput(_DAMAGED)
        yield from lines
    if rest:
        raise InvalidInput(_DAMAGED)


_DAMAGED: Final = f"{ROWS} does not tell where the rows of this archive come from. Export it again."
