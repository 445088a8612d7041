"""ZIP files opened with suspicion: how long the list of their files is, before anything reads it."""

import errno
import os
import struct
import zipfile
import zlib
from typing import BinaryIO, Final

from trainerbot.errors import InvalidInput

# All that zipfile and zlib raise for what is in a file; OSError for places outside it.
BROKEN: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    RuntimeError,
    ValueError,
    OverflowError,
)

_MAX_LIST_BYTES: Final = 24 * 2**20
_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_LOCATOR: Final = b"PK\x06\x07"
_LOCATOR_BYTES: Final = 20
_LONG_END: Final = b"PK\x06\x06"
_LONG_END_BYTES: Final = 56
_ENTRY: Final = b"PK\x01\x02"
_LONGEST_COMMENT_BYTES: Final = 0xFFFF


class BrokenZip(InvalidInput):
    """The list of a zip's files is damaged, cut short or missing."""


class TooManyFiles(InvalidInput):
    """A zip holds, or says that it holds, more files than are wanted."""


def open_zip(file: BinaryIO, *, max_files: int) -> zipfile.ZipFile:
    """Open a zip of at most `max_files` files.

    Each entry of a zip's list takes memory once it is opened, wanted or not,
    and a crafted one has millions: the list is counted first, at most 24 MiB
    of it, and what the zip says of it is believed only when that is worse.
    Raises BrokenZip, TooManyFiles, OSError.
    """
    try:
        if _n_files(file) > max_files:
            raise TooManyFiles(
                f"This archive holds more than {max_files:,} files. Join them into one JSONL file."
            )
        file.seek(0)
        return zipfile.ZipFile(file)
    except BROKEN:
        raise BrokenZip(_BROKEN) from None
    except OSError as error:
        if not is_damage(error):
            raise
        raise BrokenZip(_BROKEN) from None


def is_damage(error: OSError) -> bool:
    """Whether a zip named a place before its beginning; a failing disk says otherwise."""
    return error.errno == errno.EINVAL


def _n_files(file: BinaryIO) -> int:
    """Return how many files a zip may list: what it says or what is counted, whichever is more."""
    size = file.seek(0, os.SEEK_END)
    tail_at = max(0, size - _LONGEST_COMMENT_BYTES - _END_BYTES - _LOCATOR_BYTES - _LONG_END_BYTES)
    file.seek(tail_at)
    tail = file.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) - end < _END_BYTES:
        raise BrokenZip(_BROKEN)
    count, list_bytes = map(int, struct.unpack_from("<HL", tail, end + 10))
    usual = tail_at + end - _LOCATOR_BYTES - _LONG_END_BYTES
    found = _long_ends(file, tail[:end], tail_at=tail_at, usual=usual)
    if usual in found:
        # The short record only says that the long one knows.
        count = 0 if count == 0xFFFF else count
        list_bytes = 0 if list_bytes == 0xFFFFFFFF else list_bytes
    for record in found.values():
        named, named_bytes = map(int, struct.unpack_from("<QQ", record, 32))
        count, list_bytes = max(count, named), max(list_bytes, named_bytes)
    if list_bytes > _MAX_LIST_BYTES:
        return max(count, list_bytes)
    # Readers look for the list right before its end, wherever it is said to begin.
    before = list_bytes + _LOCATOR_BYTES + _LONG_END_BYTES
    file.seek(max(0, tail_at + end - before))
    return max(count, file.read(before).count(_ENTRY))


def _long_ends(file: BinaryIO, tail: bytes, *, tail_at: int, usual: int) -> dict[int, bytes]:
    """Return each record that a reader may take for the long end, by its place (APPNOTE 4.3.14).

    Readers differ: some look right before the locator, at `usual`, some go
    where it points, some search.
    """
    places = {usual, tail_at + tail.rfind(_LONG_END)}
    locator = tail[-_LOCATOR_BYTES:]
    if len(locator) == _LOCATOR_BYTES and locator.startswith(_LOCATOR):
        places.add(struct.unpack_from("<Q", locator, 8)[0])
    found = {}
    for place in places:
        if 0 <= place < tail_at + len(tail):
            file.seek(place)
            record = file.read(_LONG_END_BYTES)
            if len(record) == _LONG_END_BYTES and record.startswith(_LONG_END):
                found[place] = record
    return found


_BROKEN: Final = "This archive is damaged or cut short. Pack it again."
