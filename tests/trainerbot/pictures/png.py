"""A picture read back: the pixels of a PNG of ours."""

import struct
import zlib

import numpy as np


def pixels(png: bytes) -> "np.ndarray":
    """Colours, shape (height, width, 3). Every checksum is checked."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, body, size = 8, b"", (0, 0)
    while at < len(png):
        (n,) = struct.unpack_from(">I", png, at)
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + n]
        assert struct.unpack_from(">I", png, at + 8 + n)[0] == zlib.crc32(kind + data)
        if kind == b"IHDR":
            size = struct.unpack_from(">II", data)
        body += data if kind == b"IDAT" else b""
        at += 12 + n
    width, height = size
    rows = np.frombuffer(zlib.decompress(body), dtype=np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


def columns(png: bytes) -> "np.ndarray":
    """Which columns hold anything but white."""
    return np.flatnonzero((pixels(png) != 255).any(axis=(0, 2)))
