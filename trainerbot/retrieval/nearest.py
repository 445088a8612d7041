"""The texts nearest to a question, by the letters that they share."""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from trainerbot.retrieval.folding import fold
from trainerbot.retrieval.words import COMMON

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    import numpy.typing as npt

SHORTEST_PIECE: Final = 2
LONGEST_PIECE: Final = 4
MAX_KEPT_CHARACTERS: Final = 32  # of a word whose pieces are kept


class Match(NamedTuple):
    """One text found: the key it was given under, and its likeness from 0 to 1."""

    key: int
    score: float


class NearestTexts:
    """An index over short texts: TF-IDF of 2 to 4 letters within words, cosine.

    Of the ways that need no model file it found most paraphrases, in English
    and in Russian (80 and 68 of 100 at the first place). The weights are
    those of scikit-learn's TfidfVectorizer(analyzer="char_wb",
    sublinear_tf=True); ours, because importing that takes three seconds and
    100 MB in each process that recalls (docs/decisions/0006-retrieval.md).

    It never changes; build another for other texts. Building takes about
    0.1 ms a text, so keep it off an event loop; a question takes 1 ms, some
    10 ms over 100,000 texts. Safe to share among threads.
    """

    def __init__(self, items: Sequence[tuple[int, str]]) -> None:
        told = [(key, _tell_apart(text)) for key, text in items]
        # A text of mere punctuation shares no letters with anything.
        told = [(key, text) for key, text in told if text]
        self._keys = [key for key, _ in told]
        if told:
            self._build([text for _, text in told])

    def __len__(self) -> int:
        """Return how many texts can be found."""
        return len(self._keys)

    def nearest(self, query: str, k: int = 3) -> list[Match]:
        """Return up to `k` texts that share letters with `query`, best first.

        Of equally near ones the higher key, which is the newer row, comes first.
        """
        told = _tell_apart(query)
        if not self._keys or not told or k < 1:
            return []
        import numpy as np  # late, so that whoever only compares two questions starts fast

        scores = self._likeness(told)
        best = np.flatnonzero(scores)
        if len(best) > k:
            # All that are as near as the k-th: which of them come is for their keys to say.
            found_scores = scores[best]
            best = best[found_scores >= np.partition(found_scores, -k)[-k]]
        found = [Match(self._keys[at], min(1.0, round(float(scores[at]), 4))) for at in best]
        found.sort(key=lambda match: (-match.score, -match.key))
        return found[:k]

    def _build(self, texts: list[str]) -> None:
        """Note for each piece of a word which texts have it, and how much it weighs there."""
        import numpy as np

        self._numbers: dict[str, int] = {}
        pieces: list[int] = []
        counts: list[int] = []
        lengths: list[int] = []
        for text in texts:
            counted = Counter(_pieces(text))
            numbers = self._numbers
            pieces.extend(numbers.setdefault(piece, len(numbers)) for piece in counted)
            counts.extend(counted.values())
            lengths.append(len(counted))
        of_piece = np.array(pieces, dtype=np.int32)
        of_text = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
        n_texts_with = np.bincount(of_piece, minlength=len(self._numbers))
        self._idf = (np.log((1 + len(texts)) / (1 + n_texts_with)) + 1).astype(np.float32)
        weights = (1 + np.log(np.array(counts, dtype=np.float32))) * self._idf[of_piece]
        norms = np.sqrt(np.bincount(of_text, weights=weights**2)).astype(np.float32)
        weights /= norms[of_text]
        # Sorted by piece: a question touches only the rows of its own pieces.
        order = np.argsort(of_piece, kind="stable")
        self._texts, self._weights = of_text[order], weights[order]
        self._n_texts_with = n_texts_with
        self._starts = np.cumsum(n_texts_with) - n_texts_with

    def _likeness(self, text: str) -> npt.NDArray[np.float32]:
        """Return each text's cosine with `text`, float32, shape (n_texts,)."""
        import numpy as np

        counted = Counter(_pieces(text))
        numbers = self._numbers
        known = [(numbers[piece], n) for piece, n in counted.items() if piece in numbers]
        if not known:
            return np.zeros(len(self._keys), dtype=np.float32)
        pieces, counts = np.array(known).T
        weights = (1 + np.log(counts)) * self._idf[pieces]
        weights /= math.sqrt(weights @ weights)
        # The rows of all pieces, one after the other, at once: a loop takes thrice as long.
        n_rows = self._n_texts_with[pieces]
        ends = np.cumsum(n_rows)
        rows = np.arange(ends[-1]) + np.repeat(self._starts[pieces] - (ends - n_rows), n_rows)
        shares = self._weights[rows] * np.repeat(weights, n_rows)
        return np.bincount(self._texts[rows], shares, len(self._keys)).astype(np.float32)


def _pieces(text: str) -> Iterator[str]:
    """Yield the 2 to 4 letters long pieces of each word, with a space at either end of it."""
    return chain.from_iterable(map(_pieces_of, text.split()))


def _pieces_of(word: str) -> tuple[str, ...]:
    # People use the same words again and again.
    return _pieces_kept(word) if len(word) <= MAX_KEPT_CHARACTERS else _cut(word)


def _cut(word: str) -> tuple[str, ...]:
    padded = f" {word} "
    longest = min(LONGEST_PIECE, len(padded))
    return tuple(
        padded[at : at + length]
        for length in range(SHORTEST_PIECE, longest + 1)
        for at in range(len(padded) - length + 1)
    )


_pieces_kept = lru_cache(maxsize=8_192)(_cut)


def _tell_apart(text: str) -> str:
    """Return the words of a text that tell it from others, or all when it has none.

    Among few texts the frequency of "what is the" is not yet known, and it
    would make every question like every other.
    """
    words = fold(text).split()
    return " ".join([word for word in words if word not in COMMON] or words)
