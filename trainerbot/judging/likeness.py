"""How alike two answers are in their words, from 0 to 1, whatever they mean."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from trainerbot.judging.texts import words
from trainerbot.retrieval.stems import stem
from trainerbot.retrieval.words import COMMON, GRAMMAR

MAX_WORDS: Final = 400
"""Of either text; the longest answers are compared by their beginnings."""

NGRAMS: Final = (2, 3, 4)
OF_LETTERS, OF_WORDS, OF_ORDER = 0.4, 0.35, 0.25
"""What each sign counts; docs/evaluation.md has the figures."""

LIGHT: Final = 0.3
"""What a word counts that every answer has."""


def likeness(expected: str, answer: str) -> float:
    """Return how alike two texts are: letters (chrF, Popovic 2015), stems, and their order.

    1 for equal words, 0 for nothing in common. What one says and the other
    leaves out lowers it, from either side alike.
    """
    ours, theirs = words(expected)[:MAX_WORDS], words(answer)[:MAX_WORDS]
    if ours == theirs:
        return 1.0
    if not ours or not theirs:
        return 0.0
    stems, others = [stem(word) for word in ours], [stem(word) for word in theirs]
    return (
        OF_LETTERS * _letters(" ".join(ours), " ".join(theirs))
        + OF_WORDS * _shared(stems, others)
        + OF_ORDER * _in_order(stems, others)
    )


def _letters(a: str, b: str) -> float:
    found = []
    for n in NGRAMS:
        ours = Counter(a[at : at + n] for at in range(len(a) - n + 1))
        theirs = Counter(b[at : at + n] for at in range(len(b) - n + 1))
        if ours and theirs:
            found.append(2 * (ours & theirs).total() / (ours.total() + theirs.total()))
    return sum(found) / len(found) if found else 0.0


def _shared(a: Sequence[str], b: Sequence[str]) -> float:
    ours, theirs = Counter(a), Counter(b)
    both = sum(_weight(word) * n for word, n in (ours & theirs).items())
    whole = sum(_weight(word) * n for word, n in ours.items())
    whole += sum(_weight(word) * n for word, n in theirs.items())
    return 2 * both / whole


def _in_order(a: Sequence[str], b: Sequence[str]) -> float:
    """The longest common subsequence (ROUGE-L, Lin 2004), one row kept at a time."""
    row = [0] * (len(b) + 1)
    for word in a:
        before = 0
        for at, other in enumerate(b, 1):
            before, row[at] = row[at], before + 1 if word == other else max(row[at], row[at - 1])
    return 2 * row[-1] / (len(a) + len(b))


def _weight(word: str) -> float:
    return LIGHT if word in COMMON or word in GRAMMAR else 1.0
