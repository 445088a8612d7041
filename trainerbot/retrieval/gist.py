"""What a question is about: its telling words, and how much of them two questions share."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from trainerbot.retrieval.concepts import CONCEPTS, FRAME_WORDS
from trainerbot.retrieval.folding import fold
from trainerbot.retrieval.stems import stem
from trainerbot.retrieval.words import CONTRACTIONS, NEGATIONS

MAX_KEPT_CHARACTERS: Final = 300
NO_CONCEPTS: Final = frozenset[int]()


@dataclass(frozen=True, slots=True)
class Shared:
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
    asked_left, known_left = asked - same, known - same
    asked_meant = _also_meant(asked_left, known)
    known_meant = _also_meant(known_left, asked)
    n_asked, n_known = max(1, len(asked)), max(1, len(known))
    return Shared(
        len(same) / n_asked,
        len(same) / n_known,
        (len(same) + asked_meant) / n_asked,
        (len(same) + known_meant) / n_known,
        len(same),
        asked_meant < len(asked_left) and known_meant < len(known_left),
    )


def _also_meant(left: frozenset[str], others: frozenset[str]) -> int:
    """Return how many of `left` mean what one of `others` means."""
    if not left:
        return 0
    notions = frozenset[int]().union(*(CONCEPTS.get(one, NO_CONCEPTS) for one in others))
    return sum(not notions.isdisjoint(CONCEPTS.get(one, NO_CONCEPTS)) for one in left)
