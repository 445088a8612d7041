"""What changed between two texts, word by word, for people to read."""

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import groupby
from typing import Final, NamedTuple

MAX_PIECES: Final = 2_000
"""Beyond so many words or lines on either side, something coarser is compared.

SequenceMatcher takes time by the product of both sides; so many take well
below a second.
"""

# White space stays with the word after it: the pieces joined give the text, and
# a text that only goes on has lost nothing.
_WORD: Final = re.compile(r"\s*+(?:\w+|[^\w\s])|\s+\Z")


class Change(StrEnum):
    """What became of a piece of text."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


class Difference(NamedTuple):
    """A run of text that stayed, went or came."""

    change: Change
    text: str


def differences(before: str, after: str) -> list[Difference]:
    """Return the pieces that lead from `before` to `after`, what went before what came.

    SAME and REMOVED joined are `before`, SAME and ADDED joined are `after`. No
    two neighbours have the same change, and none is empty. Words are compared;
    in long texts lines first, then the words of those that changed; and where
    even they are too many, all from the first to the last change counts as
    changed, so that no text takes long.
    """
    pieces = _by_line(before, after)
    return [
        Difference(change, "".join(piece.text for piece in run))
        for change, run in groupby(pieces, key=lambda piece: piece.change)
    ]


def _by_line(before: str, after: str) -> Iterator[Difference]:
    one, other = _WORD.findall(before), _WORD.findall(after)
    if max(len(one), len(other)) <= MAX_PIECES:
        yield from _match(one, other)
        return
    lines = _match(before.splitlines(keepends=True), after.splitlines(keepends=True))
    for is_same, run in groupby(lines, key=lambda piece: piece.change is Change.SAME):
        changed = list(run)
        if is_same:
            yield from changed
        else:
            removed = "".join(p.text for p in changed if p.change is Change.REMOVED)
            added = "".join(p.text for p in changed if p.change is Change.ADDED)
            yield from _match(_WORD.findall(removed), _WORD.findall(added))


def _match(before: list[str], after: list[str]) -> Iterator[Difference]:
    """Yield the changes between two lists of pieces, each run as one."""
    head = _n_shared(before, after)
    tail = _n_shared(reversed(before[head:]), reversed(after[head:]))
    yield from _piece(Change.SAME, before[:head])
    one, other = before[head : len(before) - tail], after[head : len(after) - tail]
    if max(len(one), len(other)) > MAX_PIECES:
        yield from _piece(Change.REMOVED, one)
        yield from _piece(Change.ADDED, other)
    else:
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, one, other).get_opcodes():
            if tag == "equal":
                yield from _piece(Change.SAME, one[i1:i2])
            else:
                yield from _piece(Change.REMOVED, one[i1:i2])
                yield from _piece(Change.ADDED, other[j1:j2])
    yield from _piece(Change.SAME, before[len(before) - tail :])


def _n_shared(before: Iterable[str], after: Iterable[str]) -> int:
    """Return how many pieces the two begin with in common."""
    n_shared = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        n_shared += 1
    return n_shared


def _piece(change: Change, words: list[str]) -> Iterator[Difference]:
    if words:
        yield Difference(change, "".join(words))
