"""The head of a GGUF file: what it says of itself, without its tensors.

Read here and not by the package gguf, which takes numpy and reads every token:
the server opens such files at its start.
"""

import struct
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"GGUF"
_SCALARS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i",
    6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
_STRING, _ARRAY = 8, 9
_MAX_TEXT_BYTES = 1024 * 1024
_MAX_KEYS = 10_000
_MAX_LIST = 1000


class BadHeader(ValueError):
    """The file is not GGUF, or its head is damaged."""


def read_header(path: Path) -> dict[str, Any]:
    """Return the numbers and texts that come before the vocabulary, by their keys.

    Short lists are passed over; the first long one is the vocabulary, and ends
    the reading. Raises BadHeader, and OSError when the file cannot be read.
    """
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise BadHeader("no GGUF file")
        version = _number(file, "<I")
        if version not in (2, 3):
            raise BadHeader(f"GGUF version {version}")
        _number(file, "<Q")  # how many tensors
        found: dict[str, Any] = {}
        for _ in range(min(_number(file, "<Q"), _MAX_KEYS)):
            key = _text(file)
            kind = _number(file, "<I")
            if kind != _ARRAY:
                found[key] = _value(file, kind)
                continue
            kind, length = _number(file, "<I"), _number(file, "<Q")
            if length > _MAX_LIST:
                break
            for _ in range(length):
                _value(file, kind)
        return found


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(file)
    if kind not in _SCALARS:
        raise BadHeader(f"a value of unknown kind {kind}")
    return _number(file, _SCALARS[kind])


def _number(file: BinaryIO, form: str) -> Any:
    data = file.read(struct.calcsize(form))
    try:
        return struct.unpack(form, data)[0]
    except struct.error as error:
        raise BadHeader("the file ends too early") from error


def _text(file: BinaryIO) -> str:
    n_bytes = _number(file, "<Q")
    if n_bytes > _MAX_TEXT_BYTES:
        raise BadHeader("a text that is too long")
    data = file.read(n_bytes)
    if len(data) < n_bytes:
        raise BadHeader("the file ends too early")
    return data.decode("utf-8", "replace")
