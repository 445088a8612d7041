"""Files by their content: a blob is whole and named by its SHA-256, or it is not there."""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from trainerbot.errors import StorageFull

_PIECE_BYTES = 1024 * 1024
# EFBIG: the file system, or a limit on this process, takes no larger file.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextlib.contextmanager
def disk_full_in_words() -> Iterator[None]:
    """Translate the system's "no space" into StorageFull; let everything else pass."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise StorageFull(
            "The disk of the model server is full. Free some space and try again; "
            "nothing was half stored."
        ) from error


@dataclass(frozen=True, slots=True)
class Draft:
    """A complete, synced temporary file, ready to become a blob."""

    path: Path
    sha256: str
    n_bytes: int


class DraftWriter:
    """Writes one draft. Leaves no file behind unless `finish` was reached.

    Not for the event loop: `write` and `finish` wait for the disk.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / secrets.token_hex(16)
        self._hash = hashlib.sha256()
        self._n_bytes = 0
        with disk_full_in_words():
            # Open across calls: `finish` or `discard` closes it.
            self._file = open(self._path, "xb", buffering=0)  # noqa: SIM115

    def write(self, data: bytes) -> None:
        """Append `data`. Raises StorageFull when the disk takes no more."""
        view = memoryview(data)
        self._hash.update(view)
        self._n_bytes += len(view)
        with disk_full_in_words():
            while view:
                view = view[self._file.write(view) :]

    def finish(self) -> Draft:
        """Sync and close. The caller now owns the draft."""
        with disk_full_in_words():
            os.fsync(self._file.fileno())
            self._file.close()
        return Draft(self._path, self._hash.hexdigest(), self._n_bytes)

    def discard(self) -> None:
        """Remove what was written. Harmless after the draft became a blob."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class Blobs:
    """The folder of blobs, with its folder of drafts beside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "blobs"
        self._drafts = folder / "drafts"
        # Whatever a killed process was writing is nothing.
        shutil.rmtree(self._drafts, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._drafts.mkdir(exist_ok=True)

    def draft(self) -> DraftWriter:
        """Return a new draft in the same file system, so that keeping it is one rename."""
        return DraftWriter(self._drafts)

    def write(self, data: bytes) -> Draft:
        """Return a finished draft of `data`."""
        writer = self.draft()
        try:
            writer.write(data)
            return writer.finish()
        except BaseException:
            writer.discard()
            raise

    def copy(self, path: Path) -> Draft:
        """Return a finished draft of the content of `path`."""
        writer = self.draft()
        try:
            with path.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    writer.write(piece)
            return writer.finish()
        except BaseException:
            writer.discard()
            raise

    def path(self, sha256: str) -> Path:
        """Return where the blob lies, if it is kept."""
        return self._folder / sha256

    def keep(self, draft: Draft) -> None:
        """Turn a draft into a blob: one rename, then the folder is synced."""
        os.replace(draft.path, self.path(draft.sha256))
        sync(self._folder)

    def remove(self, sha256: str) -> None:
        """Remove a blob that no row names any more."""
        # Windows refuses while somebody reads; the sweep of the next start
        # takes it.
        with contextlib.suppress(PermissionError):
            self.path(sha256).unlink(missing_ok=True)

    def sweep(self, kept: Collection[str]) -> None:
        """Remove every blob that is not in `kept`."""
        for path in self._folder.iterdir():
            if path.name not in kept:
                self.remove(path.name)


def sync(path: Path) -> None:
    """Bring a file, or a folder's names, to the disk, where the system can.

    Then they survive a power cut.
    """
    is_windows = sys.platform == "win32"
    if is_windows and path.is_dir():
        return  # Windows opens no folders, and NTFS journals its renames.
    handle = os.open(path, os.O_RDWR if is_windows else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
