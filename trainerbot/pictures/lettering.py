"""Words in letters: which font has each, how wide they are, which way they run, where a line ends.

What draws and orders letters is loaded where something is drawn: no start waits for it.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

FONTS: Final = Path(__file__).parent / "fonts"
REGULAR, BOLD = FONTS / "Inter-Regular.ttf", FONTS / "Inter-SemiBold.ttf"
OTHERS: Final = (FONTS / "DejaVuSans-part.ttf", FONTS / "NotoEmoji-Regular.ttf")
UNKNOWN: Final = "\u25af"  # stands for a letter that no font of ours has
NOWHERE: Final = "\uffff"  # Unicode keeps it out of every font
ELLIPSIS: Final = "…"
NON_JOINER: Final = "\u200c"  # has no shape, but parts Arabic letters
LONGEST: Final = 2_000  # characters that are looked at; no picture shows half of them
_SPACES = re.compile(r"\s+")
_SHAPELESS = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")  # variants, tones of skin


@dataclass(frozen=True, slots=True)
class Style:
    """How large (pixels to an em), how heavy, and how far apart lines are in ems."""

    size: int
    bold: bool = False
    leading: float = 1.35

    @property
    def line_height(self) -> int:
        return round(self.size * self.leading)


def plain(text: str) -> str:
    """The same in one paragraph of what can be drawn: composed letters, and single spaces."""
    text = unicodedata.normalize("NFC", _SHAPELESS.sub("", text[:LONGEST]))
    return _SPACES.sub(" ", "".join(each for each in text if _is_drawn(each))).strip()


def width(text: str, style: Style) -> float:
    """How wide one line of it is, in pixels."""
    return _length(plain(text), style)


def cut(text: str, style: Style, most: float) -> str:
    """The line, or as much of it as `most` pixels hold, with an ellipsis."""
    text = plain(text)
    reach = _reach(text, style, most)
    if reach == len(text):
        return text
    reach = _reach(text[:reach], style, most - width(ELLIPSIS, style))
    return text[:reach].rstrip(" ,.;:–-") + ELLIPSIS


def wrap(text: str, style: Style, most: float, *, n_lines: int) -> list[str]:
    """The lines of one paragraph, at most `n_lines` of `most` pixels; the last one is cut."""
    left, lines = plain(text), list[str]()
    while left and len(lines) < n_lines - 1:
        end = _reach(left, style, most)
        if end < len(left):
            # At the last space that fits; a word longer than the line is cut where the line ends.
            space = left.rfind(" ", 0, end + 1)
            end = space if space > 0 else max(end, 1)
        lines.append(left[:end].rstrip())
        left = left[end:].lstrip()
    return [*lines, cut(left, style, most)] if left else lines


def runs_right(text: str) -> bool:
    """Whether a paragraph begins on the right: as its first letter does."""
    from bidi.algorithm import get_base_level

    return bool(get_base_level(plain(text)))


def visual(line: str, style: Style, *, from_right: bool) -> Iterator[tuple[FreeTypeFont, str]]:
    """The letters of one line from left to right, as they are drawn, with the font of each.

    from_right: the direction of its paragraph. Marks come before a letter that runs
    from the right and behind others, which is where the fonts beside us expect them.
    """
    # Not the package's own `get_display`: that one leaves brackets unmirrored.
    from bidi.algorithm import get_display

    base = "R" if from_right else "L"
    return _runs(str(get_display(_joined(plain(line)), base_dir=base)), style)


def _joined(text: str) -> str:
    """Arabic letters in the forms they have at the beginning, middle and end of a word."""
    joined: str = _arabic().reshape(text)
    return joined.replace(NON_JOINER, "")


@cache
def _arabic() -> Any:
    from arabic_reshaper import ArabicReshaper

    # Marks stay, and the name of God stays in letters: our fonts lack its sign.
    return ArabicReshaper({"delete_harakat": False, "ARABIC LIGATURE ALLAH": False})


def _reach(text: str, style: Style, most: float) -> int:
    """How many characters fit, at least none."""
    lengths = range(1, len(text) + 1)
    return bisect_right(lengths, most, key=lambda length: _length(text[:length], style))


def _length(text: str, style: Style) -> float:
    return sum(font.getlength(letters) for font, letters in _runs(_joined(text), style))


def _is_drawn(character: str) -> bool:
    """Not so what has no shape of its own: controls, joiners, halves of characters."""
    if character.isspace() or character == NON_JOINER:
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Me")


def _runs(letters: str, style: Style) -> Iterator[tuple[FreeTypeFont, str]]:
    """The same, in pieces of one font each."""
    known = (each if _path(each, style.bold) else UNKNOWN for each in letters)
    for path, run in groupby(known, key=lambda each: _path(each, style.bold)):
        assert path is not None, "the fonts beside us lack the sign for what they lack"
        yield _font(path, style.size), "".join(run)


@lru_cache(maxsize=8_192)
def _path(character: str, bold: bool) -> Path | None:
    """The first font file that has a character, or None."""
    for path in (BOLD if bold else REGULAR, *OTHERS):
        if _glyph(path, character) != _glyph(path, NOWHERE):
            return path
    return None


def _glyph(path: Path, character: str) -> tuple[bytes, tuple[int, int], float]:
    """What a font draws for a character; for one that it lacks, always the same."""
    font = _font(path, 24)
    mask = font.getmask(character)
    return bytes(mask), mask.size, font.getlength(character)


@lru_cache(maxsize=64)
def _font(path: Path, size: int) -> FreeTypeFont:
    """Threads may share it: Pillow's handbook, "Thread safety".

    Basic layout, since the other one looks for FriBiDi on the machine.
    """
    from PIL import ImageFont

    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
