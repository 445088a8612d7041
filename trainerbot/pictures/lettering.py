"""Words in letters: which font has each, how wide they are, where a line ends."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from trainerbot.pictures import direction, ink
from trainerbot.pictures.truetype import Face, face

FONTS: Final = Path(__file__).parent / "fonts"
REGULAR, BOLD = FONTS / "Inter-Regular.ttf", FONTS / "Inter-SemiBold.ttf"
OTHERS: Final = (FONTS / "DejaVuSans-part.ttf", FONTS / "NotoEmoji-Regular.ttf")
UNKNOWN: Final = "\u25af"  # stands for a letter that no font of ours has
ELLIPSIS: Final = "…"
LONGEST: Final = 4_000  # characters that are looked at; no picture shows half of them
QUARTERS: Final = 4  # a letter begins at a quarter of a pixel
_SPACES = re.compile(r"\s+")
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_VARIATIONS = range(0xFE00, 0xFE10)


@dataclass(frozen=True, slots=True)
class Style:
    """How large (pixels to an em), how heavy, and how far apart lines are in ems."""

    size: int
    bold: bool = False
    leading: float = 1.35

    @property
    def line_height(self) -> int:
        return round(self.size * self.leading)


@dataclass(frozen=True, slots=True, eq=False)
class Letter:
    """One letter in pixels: its shades, shape (height, width), and where they go from the pen."""

    shades: "np.ndarray"
    left: int
    top: int


def plain(text: str) -> str:
    """The same in one paragraph of what can be drawn: composed letters, and single spaces."""
    text = unicodedata.normalize("NFC", text[:LONGEST])
    return _SPACES.sub(" ", "".join(each for each in text if _is_drawn(each))).strip()


def missing(text: str) -> str:
    """The letters of a text that no font of ours has, each once, as they come."""
    return "".join(dict.fromkeys(each for each in plain(text) if _face_of(each, False) is None))


def width(text: str, style: Style) -> float:
    """How wide one line of it is, in pixels."""
    return sum(advance(each, style) for each in direction.joined(plain(text)))


def advance(character: str, style: Style) -> float:
    """How far the pen moves on after a letter, in pixels; marks stand over the one before."""
    if unicodedata.category(character) == "Mn":
        return 0.0
    found, character = _drawn_with(character, style.bold)
    return found.advance(character) * style.size / found.units


def cut(text: str, style: Style, most: float) -> str:
    """The line, or as much of it as `most` pixels hold, with an ellipsis."""
    text = plain(text)
    if width(text, style) <= most:
        return text
    shown = text[: _reach(text, style, most - width(ELLIPSIS, style))]
    return shown.rstrip(" ,.;:–-") + ELLIPSIS


def wrap(text: str, style: Style, most: float, *, n_lines: int) -> list[str]:
    """The lines of one paragraph, at most `n_lines` of `most` pixels; the last one is cut."""
    left, lines = plain(text), list[str]()
    while left:
        if len(lines) == n_lines - 1:
            return [*lines, cut(left, style, most)]
        line, left = _first_line(left, style, most)
        lines.append(line)
    return lines


def letter(character: str, style: Style, quarter: int) -> Letter:
    """A letter as it is drawn, begun `quarter` quarters of a pixel to the right."""
    found, character = _drawn_with(character, style.bold)
    return _letter(found, character, style.size, quarter)


@lru_cache(maxsize=4_096)
def _letter(found: Face, character: str, size: int, quarter: int) -> Letter:
    scale = np.array((size / found.units, -size / found.units), dtype=np.float32)
    contours = [each * scale for each in found.outline(character)]
    if not contours:
        return Letter(np.zeros((0, 0), dtype=np.float32), 0, 0)
    shift = np.array((quarter / QUARTERS, 0.0), dtype=np.float32)
    points = np.concatenate(contours) + shift
    left, top = (int(each) for each in np.floor(points.min(axis=0)))
    right, bottom = (int(each) for each in np.ceil(points.max(axis=0)))
    corner = np.array((left, top), dtype=np.float32)
    moved = [each + shift - corner for each in contours]
    return Letter(ink.covered(moved, right - left + 1, bottom - top + 1), left, top)


def _first_line(text: str, style: Style, most: float) -> tuple[str, str]:
    reach = _reach(text, style, most)
    if reach == len(text):
        return text, ""
    # At the last space that fits; a word longer than the line is cut where the line ends.
    space = text.rfind(" ", 0, reach + 1)
    end = space if space > 0 else max(reach, 1)
    return text[:end].rstrip(), text[end:].lstrip()


def _reach(text: str, style: Style, most: float) -> int:
    """How many characters fit, at least none."""
    taken = 0.0
    for at, character in enumerate(text):
        taken += advance(character, style)
        if taken > most:
            return at
    return len(text)


def _is_drawn(character: str) -> bool:
    """Not so what has no shape of its own: controls, joiners, variants, tones of skin."""
    if character.isspace():
        return True
    code = ord(character)
    if code in _SKIN_TONES or code in _VARIATIONS:
        return False
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Me")


def _drawn_with(character: str, bold: bool) -> tuple[Face, str]:
    found = _face_of(character, bold)
    if found is not None:
        return found, character
    unknown = _face_of(UNKNOWN, bold)
    assert unknown is not None, "the fonts beside us lack the sign for what they lack"
    return unknown, UNKNOWN


@lru_cache(maxsize=8_192)
def _face_of(character: str, bold: bool) -> Face | None:
    for path in (BOLD if bold else REGULAR, *OTHERS):
        if character in face(path):
            return face(path)
    return None
