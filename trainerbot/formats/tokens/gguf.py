"""What a GGUF file says about itself, without its weights.

The layout is llama.cpp's (ggml/docs/gguf.md): magic, version, two counts,
then pairs of key and typed value, all little-endian.
"""

import struct
from collections.abc import Collection
from pathlib import Path
from typing import Any, BinaryIO, Final

from trainerbot.errors import TrainerBotError

_MAGIC: Final = b"GGUF"
_VERSIONS: Final = (2, 3)
_BOOL: Final = 7
_STRING: Final = 8
_ARRAY: Final = 9
_NUMBERS: Final = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    _BOOL: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_MAX_VALUE_BYTES: Final = 2**24  # a text; the longest is a chat template


def read_metadata(path: Path, keys: Collection[str]) -> dict[str, Any]:
    """Return the values of those `keys` that the file has.

    Numbers, strings, booleans and lists of them. Stops at the last key asked
    for. Raises TrainerBotError when the file is no GGUF, OSError when it
    cannot be read.
    """
    wanted = set(keys)
    found: dict[str, Any] = {}
    with path.open("rb") as file:
        try:
            magic, version, _, n_pairs = struct.unpack("<4sIQQ", file.read(24))
            if magic != _MAGIC or version not in _VERSIONS:
                raise ValueError("another format")
            for _ in range(n_pairs):
                key = _string(file)
                value = _value(file, _number(file, "I"))
                if key in wanted:
                    found[key] = value
                    if len(found) == len(wanted):
                        break
        except (ValueError, KeyError, struct.error) as error:
            raise TrainerBotError(f"{path.name} is no GGUF file that can be read.") from error
    return found


def _number(file: BinaryIO, code: str) -> Any:
    (value,) = struct.unpack(f"<{code}", file.read(struct.calcsize(f"<{code}")))
    return value


def _string(file: BinaryIO) -> str:
    n_bytes = _number(file, "Q")
    if n_bytes > _MAX_VALUE_BYTES:
        raise ValueError("a text too long to be one")
    raw = file.read(n_bytes)
    if len(raw) < n_bytes:
        raise ValueError("cut off")
    return raw.decode("utf-8", errors="replace")


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _string(file)
    if kind != _ARRAY:
        return _number(file, _NUMBERS[kind])
    inner = _number(file, "I")
    n_items = _number(file, "Q")
    if n_items > _MAX_VALUE_BYTES:
        raise ValueError("a list too long to be one")
    if inner == _STRING:
        return [_string(file) for _ in range(n_items)]
    code = f"<{n_items}{_NUMBERS[inner]}"
    return list(struct.unpack(code, file.read(struct.calcsize(code))))
