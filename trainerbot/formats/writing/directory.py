"""How long a zip's list of contents is, before anything believes it."""

import os
import struct
from typing import BinaryIO, Final

_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_LONG_LOCATOR: Final = b"PK\x06\x07"
_LONG_BYTES: Final = 56
_LONGEST_COMMENT_BYTES: Final = 65_535


def n_entries_bytes(file: BinaryIO) -> int:
    """Return the bytes of a zip's central directory, 0 when there is none.

    The zip may name two, a short and a long one (APPNOTE 4.3.14); the larger
    counts, as readers differ in which they take.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _LONGEST_COMMENT_BYTES - _END_BYTES - 20))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_BYTES:
        return 0
    (n_bytes,) = struct.unpack_from("<L", tail, at + 12)
    if at >= 20 and tail[at - 20 : at - 16] == _LONG_LOCATOR:
        (named,) = struct.unpack_from("<Q", tail, at - 12)
        begin = size - len(tail) + at - 20
        # Where it should be, and where Python looks for it.
        for offset in (min(named, size), max(0, begin - _LONG_BYTES)):
            file.seek(offset)
            record = file.read(_LONG_BYTES)
            if len(record) == _LONG_BYTES:
                n_bytes = max(n_bytes, struct.unpack_from("<Q", record, 40)[0])
    return int(n_bytes)
