"""Files that are whole or not there."""

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from trainerbot.errors import StorageFull


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written whole.

    sha256: of its bytes, hexadecimal. left_out: why a record is not in it ->
    how many; `n_left_out` is their sum.
    """

    n_examples: int
    n_bytes: int
    sha256: str
    n_left_out: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write, which takes the place of `path` when the block ends well.

    It lies beside `path` until then and reaches the disk before it is renamed;
    when the block raises, nothing is left. Raises StorageFull.
    """
    partial = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("The disk is full. Nothing was written; make room first.") from error
        raise
    finally:
        partial.unlink(missing_ok=True)
    _sync_folder(path.parent)


def digest(path: Path) -> tuple[int, str]:
    """Return size in bytes and SHA-256 of a file."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return os.fstat(file.fileno()).st_size, sha256


def _sync_folder(folder: Path) -> None:
    """Let the new name survive a power failure, where a folder can be opened at all."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
