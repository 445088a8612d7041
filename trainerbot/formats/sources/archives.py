"""ZIP archives, read with suspicion: nothing in them is believed, nothing unpacked by name."""

import os
import stat
import zipfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from trainerbot.errors import InvalidInput
from trainerbot.formats.report import Problem, of_file
from trainerbot.formats.sources.budget import Budget, copy_within
from trainerbot.formats.sources.members import Member, clean, is_archive_name, is_safe_name, shown
from trainerbot.formats.writing.archives import Described, Entry
from trainerbot.formats.zips import open_zip

MAX_FILES: Final = 100_000
"""More files than this in one archive or folder are refused before they are listed."""

_END: Final = b"PK\x05\x06"  # an archive of no files begins with its end
_NOTHING: Final[Mapping[str, Entry]] = {}
_READABLE: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Archive:
    """One open ZIP archive: its files in the order of their names."""

    def __init__(self, opened: zipfile.ZipFile, *, n_bytes: int) -> None:
        self._zip = opened
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
    """Return the archive in `file`, or why it cannot be read. Raises OSError."""
    try:
        opened = open_zip(file, max_files=MAX_FILES)
    except InvalidInput as error:
        return of_file("invalid_archive", str(error))
    return Archive(opened, n_bytes=file.seek(0, os.SEEK_END))


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


def is_archive(path: Path) -> bool:
    """Say whether a file begins as ZIP archives do."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", _END)
