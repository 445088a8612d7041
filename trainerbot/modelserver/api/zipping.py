"""Zip archives that are sent while they are written: no archive lies on the disk or in memory."""

import asyncio
import time
import zipfile
from collections.abc import AsyncGenerator, Iterator, Mapping
from pathlib import Path

_PIECE_BYTES = 1024 * 1024
# Of a zip file's dates the first.
_FIRST = 315_532_800


class _Out:
    """A file that can only be written, and forgets what was taken."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits: `take` has all."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        data = bytes(self._data)
        self._data.clear()
        return data


async def zipped(files: Mapping[str, Path | bytes], *, created: int) -> AsyncGenerator[bytes, None]:
    """Yield a zip archive of `files`, stored as they are: weights do not get smaller.

    The same files with the same `created` (Unix time) are the same bytes.
    """
    pieces = _pieces(files, time.gmtime(max(created, _FIRST)))
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


def length(files: Mapping[str, Path | bytes]) -> int | None:
    """Return how many bytes `zipped` will yield; None where an archive over 2 GiB grows fields."""
    sizes = [
        len(content) if isinstance(content, bytes) else content.stat().st_size
        for content in files.values()
    ]
    if sum(sizes) * 1.05 > zipfile.ZIP64_LIMIT:
        return None
    frame = _pieces(dict.fromkeys(files, b""), time.gmtime(_FIRST))
    return sum(map(len, frame)) + sum(sizes)


def _pieces(files: Mapping[str, Path | bytes], date: time.struct_time) -> Iterator[bytes]:
    out = _Out()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, date_time=date[:6])
            info.external_attr = 0o644 << 16
            if isinstance(content, bytes):
                archive.writestr(info, content)
            else:
                info.file_size = content.stat().st_size
                with archive.open(info, "w") as entry, content.open("rb") as source:
                    while data := source.read(_PIECE_BYTES):
                        entry.write(data)
                        yield out.take()
            yield out.take()
    yield out.take()
