"""A picture under work: shapes and words over each other, and out as PNG."""

import io
import math
from collections.abc import Sequence
from typing import Final, Literal

from trainerbot.pictures import direction, lettering
from trainerbot.pictures.lettering import Style

FINER: Final = 4  # times, at which corners are drawn so that they are smooth
Align = Literal["left", "right"]


class Canvas:
    """So many pixels of one colour to begin with. Colours are written as "#rrggbb"."""

    def __init__(self, width: int, height: int, *, background: str) -> None:
        # Only where something is drawn: no start waits for it.
        from PIL import Image, ImageDraw

        self._image = Image.new("RGB", (width, height), background)
        self._draw = ImageDraw.Draw(self._image)

    def box(
        self, x: int, y: int, width: float, height: int, colour: str, *, radius: float = 0.0
    ) -> None:
        """A filled rectangle with rounded corners, its upper left one at x, y."""
        if not radius:
            self._draw.rectangle((x, y, x + width - 1, y + height - 1), fill=colour)
            return
        from PIL import Image, ImageDraw

        size = (math.ceil(width), height)
        mask = Image.new("L", (size[0] * FINER, size[1] * FINER))
        corner = (width * FINER - 1, height * FINER - 1)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, *corner), radius * FINER, fill=255)
        self._image.paste(colour, (x, y), mask.resize(size, Image.Resampling.BOX))

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
        file = io.BytesIO()
        self._image.save(file, "PNG")
        return file.getvalue()

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
        runs = lettering.runs(shown, style)
        wide = sum(run.width for run in runs)
        pen = x - wide if align == "right" else x
        for run in runs:
            self._draw.text((pen, y), run.letters, fill=colour, font=run.font, anchor="ls")
            pen += run.width
        return wide
