"""A picture under work: shapes and words over each other, and out as PNG."""

import io
from collections.abc import Sequence
from typing import Final, Literal

from trainerbot.pictures import lettering
from trainerbot.pictures.lettering import Style

FINER: Final = 4  # Pillow draws shapes without smooth edges: so larger, and scaled down
Align = Literal["left", "right"]


class Canvas:
    """So many pixels of one colour to begin with. Colours are written as "#rrggbb"."""

    def __init__(self, width: int, height: int, *, background: str) -> None:
        # Only where something is drawn: no start waits for it.
        from PIL import Image, ImageDraw

        self._image = Image.new("RGB", (width, height), background)
        self._draw = ImageDraw.Draw(self._image)

    def box(
        self, x: int, y: int, width: float, height: float, colour: str, *, radius: float = 0.0
    ) -> None:
        """A filled rectangle with rounded corners, its upper left one at x, y."""
        from PIL import Image, ImageDraw

        right, bottom = round(FINER * width), round(FINER * height)
        shape = Image.new("L", (-(-right // FINER) * FINER, -(-bottom // FINER) * FINER))
        corners = (0, 0, right - 1, bottom - 1)
        ImageDraw.Draw(shape).rounded_rectangle(corners, FINER * radius, fill=255)
        self._image.paste(colour, (x, y), shape.reduce(FINER))

    def text(
        self, x: float, y: float, line: str, style: Style, colour: str, *, align: Align = "left"
    ) -> None:
        """One line, its letters standing on y; `align` says whether x is its beginning or its end."""
        pen = x - lettering.width(line, style) if align == "right" else x
        self._line(pen, y, line, lettering.runs_right(line), style, colour)

    def paragraph(
        self, x: float, y: float, lines: Sequence[str], style: Style, colour: str, *, width: float
    ) -> None:
        """Lines of `wrap` below each other. What runs from the right begins on the right of `width` pixels."""
        from_right = lettering.runs_right(" ".join(lines))
        for at, line in enumerate(lines):
            pen = x + width - lettering.width(line, style) if from_right else x
            self._line(pen, y + at * style.line_height, line, from_right, style, colour)

    def png(self) -> bytes:
        """The picture as a PNG file: 8 bits a colour, no transparency."""
        file = io.BytesIO()
        self._image.save(file, "PNG")
        return file.getvalue()

    def _line(
        self, pen: float, y: float, line: str, from_right: bool, style: Style, colour: str
    ) -> None:
        for font, letters in lettering.visual(line, style, from_right=from_right):
            self._draw.text((pen, y), letters, colour, font, anchor="ls")
            pen += font.getlength(letters)
