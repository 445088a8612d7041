"""What a question is about: its telling words, and how much of them two questions share."""

from functools import lru_cache
from typing import Final, NamedTuple

from trainerbot.retrieval.concepts import CONCEPTS, FRAME_WORDS
from trainerbot.retrieval.folding import fold
from trainerbot.retrieval.stems import stem
from trainerbot.retrieval.words import CONTRACTIONS, NEGATIONS

MAX_KEPT_CHARACTERS: Final = 300
NO_CONCEPTS: Final = frozenset[int]()


class Shared(NamedTuple):
    """How much of the words of a question and of another's are the same, each from 0 to 1.

    of_asked, of_known: share of the telling words of either side with a word
    of the same stem on the other; `*_meant`: with one of the same notion too.
    both_differ: whether each side has a telling word that the other lacks.
    """

    of_asked: float
    of_known: float
    of_asked_meant: float
    of_known_meant: float
    n_shared: int
    both_differ: bool


def gist(text: str) -> frozenset[str]:
    """Return the stems of the words that say what `text` is about; may be empty."""
    return _kept(text) if len(text) <= MAX_KEPT_CHARACTERS else _gist(text)


def _gist(text: str) -> frozenset[str]:
    words = [
        part
        for word in fold(text).replace("ё", "е").split()
        for part in CONTRACTIONS.get(word, (word,))
    ]
    return frozenset(
        stem(word) for word in words if word not in FRAME_WORDS and word not in NEGATIONS
    )


_kept = lru_cache(maxsize=16_384)(_gist)


def shared(asked: frozenset[str], known: frozenset[str]) -> Shared:
    """Compare two gists."""
    same = asked & known
    n_same = len(same)
    asked_left, known_left = len(asked) - n_same, len(known) - n_same
    asked_meant = _also_meant(asked - same, known) if asked_left else 0
    known_meant = _also_meant(known - same, asked) if known_left else 0
    n_asked, n_known = len(asked) or 1, len(known) or 1
    return Shared(
        n_same / n_asked,
        n_same / n_known,
        (n_same + asked_meant) / n_asked,
        (n_same + known_meant) / n_known,
        n_same,
        asked_meant < asked_left and known_meant < known_left,
    )


def _also_meant(left: frozenset[str], others: frozenset[str]) -> int:
    """Return how many of `left` mean what one of `others` means."""
    notions = _notions(others)
    if not notions:
        return 0
    n_meant = 0
    for one in left:
        if one in CONCEPTS and not notions.isdisjoint(CONCEPTS[one]):
            n_meant += 1
    return n_meant


@lru_cache(maxsize=2_048)
def _notions(stems: frozenset[str]) -> frozenset[int]:
    return NO_CONCEPTS.union(*(CONCEPTS[one] for one in stems if one in CONCEPTS))
