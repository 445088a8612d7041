"""ZIP archives, read with suspicion: nothing in them is believed, nothing unpacked by name."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from trainerbot.formats.report import Problem, of_file
from trainerbot.formats.sources.budget import Budget, copy_within
from trainerbot.formats.sources.members import Member, clean, is_archive_name, is_safe_name, shown
from trainerbot.formats.writing.archives import Described, Entry

MAX_FILES: Final = 100_000
"""More files than this in one archive or folder are refused before they are listed."""

_MAX_DIRECTORY_BYTES: Final = 24 * 2**20
_END: Final = b"PK\x05\x06"
_END64: Final = b"PK\x06\x06"
_ENTRY: Final = b"PK\x01\x02"
_NOTHING: Final[Mapping[str, Entry]] = {}
_READABLE: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

# All that zipfile and zlib raise for what is in a file.
BROKEN: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    RuntimeError,
    ValueError,
    OverflowError,
    OSError,
)


class Archive:
    """One open ZIP archive: its files in the order of their names."""

    def __init__(self, file: BinaryIO, *, n_bytes: int) -> None:
        self._zip = zipfile.ZipFile(file)
        self._budget = Budget(n_bytes)

    def names(self) -> list[str]:
        return self._zip.namelist()

    def members(self, described: Mapping[str, Entry] = _NOTHING) -> Iterator[Member | Problem]:
        """Yield the files, sorted by name, and a Problem for each that will not be read.

        described: what a manifest says of some of them. Copying another file
        than that raises InvalidInput.
        """
        seen: set[str] = set()
        for info in sorted(self._zip.infolist(), key=lambda info: info.filename):
            # Not info.is_dir(): it fails on a file without a name.
            if info.filename.endswith("/"):
                continue
            if complaint := _refuse(info) or (info.filename in seen and _TWICE):
                yield of_file("invalid_archive", f"{shown(info.filename)}: {complaint}")
                continue
            seen.add(info.filename)
            yield Member(
                clean(info.filename), partial(self._copy, info, described.get(info.filename))
            )

    def _copy(self, info: zipfile.ZipInfo, entry: Entry | None, target: BinaryIO) -> None:
        with self._zip.open(info) as packed:
            source = Described(packed, info.filename, entry) if entry else packed
            copy_within(self._budget, source, target)


def open_archive(file: BinaryIO) -> Archive | Problem:
    """Return the archive in `file`, or why it cannot be read.

    The list of its files is looked at before it is read: a crafted one of
    millions of entries would fill the memory.
    """
    n_bytes = file.seek(0, 2)
    try:
        if complaint := _refuse_directory(file, n_bytes):
            return of_file("invalid_archive", complaint)
        file.seek(0)
        return Archive(file, n_bytes=n_bytes)
    except BROKEN:
        return damaged()


def damaged(name: str = "") -> Problem:
    """Return the problem of an archive, or one file in it, that cannot be unpacked."""
    what = f"{shown(name)}: this file" if name else "This archive"
    return of_file("invalid_archive", f"{what} is damaged and cannot be unpacked. Pack it again.")


_TWICE: Final = "the archive holds two files of this name. Only the first was read."


def _refuse(info: zipfile.ZipInfo) -> str | None:
    """Return why one file of an archive is not read, or None."""
    if not is_safe_name(info.filename):
        return "a name that leads out of the archive. It was not read."
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "not a plain file (a link or a device). It was not read."
    if info.flag_bits & 0x1:
        return "protected by a password. Pack it again without one."
    if info.compress_type not in _READABLE:
        return "packed in a way that is not read here. Use plain ZIP (deflate)."
    if is_archive_name(info.filename):
        return "an archive within the archive. Unpack it first."
    return None


def _refuse_directory(file: BinaryIO, n_bytes: int) -> str | None:
    """Return why an archive's list of files may not be read, or None."""
    tail_bytes = min(n_bytes, 22 + 0xFFFF + 20 + 56)
    file.seek(n_bytes - tail_bytes)
    tail = file.read(tail_bytes)
    end = tail.rfind(_END)
    if end < 0 or len(tail) - end < 22:
        return "This archive is damaged or cut short. Pack it again."
    _, _, _, count, size, _ = struct.unpack_from("<HHHHLL", tail, end + 4)
    if (end64 := tail.rfind(_END64, 0, end)) >= 0 and end - end64 >= 56:
        count64, size64 = struct.unpack_from("<QQ", tail, end64 + 32)
        count, size = max(count, count64), max(size, size64)
    too_many = f"This archive holds more than {MAX_FILES:,} files. Join them into one JSONL file."
    # In an archive of that size everything before the end may be the list.
    if count not in (0xFFFF, 0xFFFFFFFF) and count > MAX_FILES:
        return too_many
    if size != 0xFFFFFFFF and size > _MAX_DIRECTORY_BYTES:
        return too_many
    file.seek(max(0, n_bytes - tail_bytes - min(size, _MAX_DIRECTORY_BYTES)))
    if file.read(_MAX_DIRECTORY_BYTES + tail_bytes).count(_ENTRY) > MAX_FILES:
        return too_many
    return None


def is_archive(path: Path) -> bool:
    """Say whether a file begins as ZIP archives do."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", _END)
