"""A picture under work: shapes and words over each other, and out as PNG."""

import math
import struct
import zlib
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np

from trainerbot.pictures import direction, lettering
from trainerbot.pictures.lettering import QUARTERS, Style

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
LEVEL: Final = 6
Align = Literal["left", "right"]


class Canvas:
    """So many pixels of one colour to begin with. Colours are written as "#rrggbb"."""

    def __init__(self, width: int, height: int, *, background: str) -> None:
        self.width, self.height = width, height
        self._pixels = np.empty((height, width, 3), dtype=np.float32)
        self._pixels[:] = _colour(background)

    def box(
        self, x: int, y: int, width: float, height: int, colour: str, *, radius: float = 0.0
    ) -> None:
        """A filled rectangle with rounded corners, its upper left one at x, y."""
        radius = min(radius, width / 2, height / 2)
        columns, rows = np.arange(math.ceil(width)) + 0.5, np.arange(math.ceil(height)) + 0.5
        across = np.abs(columns - width / 2)[None, :] - (width / 2 - radius)
        down = np.abs(rows - height / 2)[:, None] - (height / 2 - radius)
        beyond = np.hypot(np.maximum(across, 0.0), np.maximum(down, 0.0))
        within = np.minimum(np.maximum(across, down), 0.0)
        shares = np.clip(radius + 0.5 - (beyond + within), 0.0, 1.0)
        self._blend(x, y, shares.astype(np.float32), colour)

    def text(
        self, x: float, y: float, line: str, style: Style, colour: str, *, align: Align = "left"
    ) -> float:
        """One line, its letters standing on y; returns how wide it is.

        align: whether x is where it begins or where it ends.
        """
        line = lettering.plain(line)
        return self._line(x, y, line, direction.runs_right(line), style, colour, align)

    def paragraph(
        self, x: float, y: float, lines: Sequence[str], style: Style, colour: str, *, width: float
    ) -> float:
        """Lines of `wrap` below each other; returns the y of the next line.

        What runs from the right begins on the right of `width` pixels.
        """
        from_right = direction.runs_right(" ".join(lines))
        for line in lines:
            align: Align = "right" if from_right else "left"
            self._line(x + width * from_right, y, line, from_right, style, colour, align)
            y += style.line_height
        return y

    def png(self) -> bytes:
        """The picture as a PNG file: 8 bits a colour, no transparency."""
        pixels = np.rint(self._pixels).astype(np.uint8)
        rows = np.zeros((self.height, 1 + 3 * self.width), dtype=np.uint8)
        rows[:, 1:] = pixels.reshape(self.height, -1)
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        body = zlib.compress(rows.tobytes(), LEVEL)
        return SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")

    def _line(
        self,
        x: float,
        y: float,
        line: str,
        from_right: bool,
        style: Style,
        colour: str,
        align: Align,
    ) -> float:
        shown = direction.visual(direction.joined(line), from_right=from_right)
        advances = [lettering.advance(each, style) for each in shown]
        wide = sum(advances)
        pen = x - wide if align == "right" else x
        for character, advance in zip(shown, advances, strict=True):
            whole, quarter = divmod(round(pen * QUARTERS), QUARTERS)
            drawn = lettering.letter(character, style, quarter)
            self._blend(whole + drawn.left, round(y) + drawn.top, drawn.shades, colour)
            pen += advance
        return wide

    def _blend(self, x: int, y: int, shares: "np.ndarray", colour: str) -> None:
        """Lay a colour over the pixels from x, y on, each by its share; what lies outside is left out."""
        top, left = max(y, 0), max(x, 0)
        bottom, right = min(y + shares.shape[0], self.height), min(x + shares.shape[1], self.width)
        if top >= bottom or left >= right:
            return
        part = shares[top - y : bottom - y, left - x : right - x, None]
        under = self._pixels[top:bottom, left:right]
        under += part * (_colour(colour) - under)


def _colour(written: str) -> "np.ndarray":
    return np.array([int(written[at : at + 2], 16) for at in (1, 3, 5)], dtype=np.float32)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
