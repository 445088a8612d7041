"""Which way words run: Hebrew and Arabic from the right, also among others.

python-bidi orders them (Unicode's UAX 9), arabic-reshaper gives Arabic letters
the form of their place in the word. Neither asks the machine for a library.
`bidi.algorithm`, not `bidi` itself: that one, in Rust, leaves brackets unturned.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arabic_reshaper import ArabicReshaper

LEFT, RIGHT = ("L",), ("R", "AL")


def runs_right(text: str) -> bool:
    """Whether a paragraph begins on the right: as its first letter does."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in LEFT:
            return False
        if kind in RIGHT:
            return True
    return False


def joined(text: str) -> str:
    """Letters as they stand beside each other, still in the order in which they are read.

    Points above and below Hebrew and Arabic letters are left out, as in print.
    """
    kept: list[str] = []
    for character in text:
        is_point = unicodedata.category(character) == "Mn"
        if not (is_point and kept and unicodedata.bidirectional(kept[-1]) in RIGHT):
            kept.append(character)
    text = "".join(kept)
    if not any("\u0600" <= character <= "\u06ff" for character in text):
        return text
    shaped: str = _reshaper().reshape(text)
    return shaped


def visual(line: str, *, from_right: bool) -> str:
    """The letters of one line from left to right, as they are drawn.

    from_right: the direction of its paragraph.
    """
    from bidi.algorithm import get_display

    shown: str = get_display(line, base_dir="R" if from_right else "L")
    return shown


@cache
def _reshaper() -> ArabicReshaper:
    from arabic_reshaper import ArabicReshaper

    # Whole words in one sign, such as that of Allah, are not in every font.
    return ArabicReshaper(
        {"delete_harakat": True, "RIAL SIGN": False, "ARABIC LIGATURE ALLAH": False}
    )
