"""Pictures made of text and shapes, without a browser: words in, PNG out.

    canvas = Canvas(1200, 630, background="#ffffff")
    canvas.text(60, 90, "Taught once", Style(44, bold=True), colour="#111111")
    png = canvas.png()

Takes a tenth of a second: never on an event loop.
"""

from trainerbot.pictures.canvas import Canvas
from trainerbot.pictures.lettering import Style, cut, width, wrap

__all__ = ["Canvas", "Style", "cut", "width", "wrap"]
