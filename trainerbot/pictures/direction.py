"""Which way words run: Hebrew and Arabic from the right, also among others.

Of Unicode's bidirectional algorithm (UAX 9) what plain text needs: strong
letters, numbers and what stands between; embeddings by control characters
are left out. Arabic letters take the form of their place in the word.
"""

import unicodedata
from functools import cache
from typing import Final

LAM: Final = "\u0644"
MIRRORED: Final = dict(zip("()[]{}<>«»", ")(][}{><»«", strict=True))
LEFT, NUMBERS, RIGHT = ("L",), ("EN", "AN"), ("R", "AL")
BETWEEN_DIGITS: Final = ("CS", "ES")  # as in 12:30 and 3,14
LIGATURES: Final = range(0xFEF5, 0xFEFD)  # lam with an alef, which every Arabic font has


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
    """Arabic letters in the forms they have at the beginning, middle and end of a word."""
    if not any("\u0600" <= character <= "\u06ff" for character in text):
        return text
    found: list[str] = []
    letters = list(text)
    before = False  # whether the letter before reaches out to this one
    at = 0
    while at < len(letters):
        letter = letters[at]
        if unicodedata.category(letter) == "Mn":
            found.append(letter)
            at += 1
            continue
        after = at + 1
        while after < len(letters) and unicodedata.category(letters[after]) == "Mn":
            after += 1
        following = letters[after] if after < len(letters) else ""
        if letter == LAM and (LAM + following, "isolated") in _forms() and after == at + 1:
            letter, following = LAM + following, ""
            at += 1
        reaches = (letter, "initial") in _forms() and (following, "final") in _forms()
        takes = before and (letter, "final") in _forms()
        form = {
            (False, False): "isolated",
            (False, True): "initial",
            (True, False): "final",
            (True, True): "medial",
        }[takes, reaches]
        found.append(_forms().get((letter, form), letter))
        before = reaches
        at += 1
    return "".join(found)


def visual(line: str, *, from_right: bool) -> str:
    """The letters of one line from left to right, as they are drawn.

    from_right: the direction of its paragraph. Marks stay behind their letter.
    """
    clusters = _clusters(line)
    levels = _levels([each[0] for each in clusters], 1 if from_right else 0)
    shown = [
        MIRRORED.get(each, each) if level % 2 else each
        for each, level in zip(clusters, levels, strict=True)
    ]
    for level in range(max(levels, default=0), 0, -1):
        at = 0
        while at < len(levels):
            end = at
            while end < len(levels) and levels[end] >= level:
                end += 1
            shown[at:end] = shown[at:end][::-1]
            levels[at:end] = levels[at:end][::-1]
            at = max(end, at + 1)
    return "".join(shown)


def _clusters(line: str) -> list[str]:
    found: list[str] = []
    for character in line:
        if found and unicodedata.category(character) == "Mn":
            found[-1] += character
        else:
            found.append(character)
    return found


def _levels(letters: list[str], base: int) -> list[int]:
    """Even from left to right, odd from the right; numbers among those run as ever."""
    kinds = [unicodedata.bidirectional(letter) for letter in letters]
    levels: list[int | None] = []
    sides: list[int | None] = []  # as what stands between sees them: 0 left, 1 right
    strong = base
    for at, kind in enumerate(kinds):
        is_within = kind in BETWEEN_DIGITS and kinds[at - 1 : at] == kinds[at + 1 : at + 2] == [
            "EN"
        ]
        if kind in LEFT:
            strong = 0
        elif kind in RIGHT:
            strong = 1
        if kind in LEFT:
            levels.append(2 * base)
        elif kind in RIGHT:
            levels.append(1)
        elif kind in NUMBERS or is_within:
            levels.append(2 if strong or base else 0)
        else:
            levels.append(None)
        sides.append(None if levels[-1] is None else strong)
    return [_between(levels, sides, at, base) for at in range(len(levels))]


def _between(levels: list[int | None], sides: list[int | None], at: int, base: int) -> int:
    """What is no letter goes with its neighbours where they agree, else with the paragraph."""
    own = levels[at]
    if own is not None:
        return own
    before = next((each for each in reversed(sides[:at]) if each is not None), base)
    after = next((each for each in sides[at:] if each is not None), base)
    if before != after:
        return base
    return 1 if before else 2 * base


@cache
def _forms() -> dict[tuple[str, str], str]:
    """The presentation form of a letter, or of lam with an alef, at its place in a word."""
    found: dict[tuple[str, str], str] = {}
    for code in (*range(0xFB50, 0xFBB2), *range(0xFBD3, 0xFC00), *range(0xFE80, 0xFEFD)):
        kind, _, letters = unicodedata.decomposition(chr(code)).partition("> ")
        word = "".join(chr(int(each, 16)) for each in letters.split())
        if kind and (len(word) == 1 or code in LIGATURES):
            found.setdefault((word, kind[1:]), chr(code))
    return found
