"""Words in letters: which font has each, how wide they are, where a line ends."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trainerbot.pictures import direction

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

FONTS: Final = Path(__file__).parent / "fonts"
REGULAR, BOLD = FONTS / "Inter-Regular.ttf", FONTS / "Inter-SemiBold.ttf"
OTHERS: Final = (FONTS / "DejaVuSans-part.ttf", FONTS / "NotoEmoji-Regular.ttf")
UNKNOWN: Final = "\u25af"  # stands for a letter that no font of ours has
ELLIPSIS: Final = "…"
LONGEST: Final = 4_000  # characters that are looked at; no picture shows half of them
ABSENT: Final = "\uffff"  # no font has it, so it shows what a font draws for what it lacks
LOOK_AT: Final = 32  # pixels, at which two signs are compared
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


@dataclass(frozen=True, slots=True)
class Run:
    """Letters beside each other that one font draws, and how wide they are in pixels."""

    letters: str
    font: FreeTypeFont
    width: float


def plain(text: str) -> str:
    """The same in one paragraph of what can be drawn: composed letters, and single spaces."""
    text = unicodedata.normalize("NFC", text[:LONGEST])
    return _SPACES.sub(" ", "".join(each for each in text if _is_drawn(each))).strip()


def missing(text: str) -> str:
    """The letters of a text that no font of ours has, each once, as they come."""
    return "".join(
        dict.fromkeys(each for each in plain(text) if _path_of(each, bold=False) is None)
    )


def width(text: str, style: Style) -> float:
    """How wide one line of it is, in pixels."""
    return sum(run.width for run in runs(direction.joined(plain(text)), style))


def runs(line: str, style: Style) -> list[Run]:
    """The letters in the order given, cut where another font has to draw."""
    drawn = [(each, _path_of(each, bold=style.bold)) for each in line]
    found = [(each if path else UNKNOWN, path or _with_unknown()) for each, path in drawn]
    return [
        _run("".join(letter for letter, _ in group), path, style.size)
        for path, group in groupby(found, key=lambda each: each[1])
    ]


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
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width(text[:middle] + "|", style) - width("|", style) <= most:
            low = middle
        else:
            high = middle - 1
    return low


def _is_drawn(character: str) -> bool:
    """Not so what has no shape of its own: controls, joiners, variants, tones of skin."""
    if character.isspace():
        return True
    code = ord(character)
    if code in _SKIN_TONES or code in _VARIATIONS:
        return False
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Me")


def _run(letters: str, path: Path, size: int) -> Run:
    font = _font(path, size)
    return Run(letters, font, font.getlength(letters))


@lru_cache(maxsize=64)
def _font(path: Path, size: int) -> FreeTypeFont:
    from PIL import ImageFont

    # Not Raqm: whether it finds FriBiDi, and so what it draws, depends on the machine.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=8_192)
def _path_of(character: str, *, bold: bool) -> Path | None:
    """The first font that has a letter; None for none."""
    for path in (BOLD if bold else REGULAR, *OTHERS):
        if character.isspace() or _sign(path, character) != _sign(path, ABSENT):
            return path
    return None


def _sign(path: Path, character: str) -> tuple[tuple[int, int], bytes]:
    mask = _font(path, LOOK_AT).getmask(character)
    return mask.size, bytes(mask)


def _with_unknown() -> Path:
    found = _path_of(UNKNOWN, bold=False)
    assert found is not None, "the fonts beside us lack the sign for what they lack"
    return found
