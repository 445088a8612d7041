"""The texts nearest to a question, by the letters that they share."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from trainerbot.retrieval.folding import fold
from trainerbot.retrieval.words import COMMON

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

SHORTEST_PIECE: Final = 2
LONGEST_PIECE: Final = 4
MAX_KEPT_CHARACTERS: Final = 32  # of a word whose pieces are kept
MAX_COUNTED: Final = 65_535
MANY: Final = 20_000

MAX_ROWS: Final = 40_000
"""Looked at for one question: beyond, pieces that most texts have tell nothing and cost the most."""

FEW_ROWS: Final = 1_000
"""Looked at one by one: with more, numpy is the quicker one, however seldom it is called."""

AT_ONCE: Final = 8_192

MAX_EXACT: Final = 16
"""Texts that are compared whole where not all pieces were looked at."""


class Match(NamedTuple):
    """One text found: the key it was given under, and its likeness from 0 to 1."""

    key: int
    score: float


class _Some:
    """The pieces of the AT_ONCE texts from `start` on: more at a time would take 300 MB for a while.

    pieces, counts, texts: of each the piece's number, how often the text has it, and which of
    these texts that is.
    """

    def __init__(
        self,
        start: int,
        pieces: npt.NDArray[np.int32],
        counts: npt.NDArray[np.uint16],
        ends: Sequence[int],
    ) -> None:
        self.start = start
        self._ends = ends[start : start + AT_ONCE + 1]
        self.n_texts = len(self._ends) - 1
        self.pieces = pieces[self._ends[0] : self._ends[-1]]
        self.counts = counts[self._ends[0] : self._ends[-1]]

    @property
    def texts(self) -> npt.NDArray[np.int32]:
        import numpy as np

        return np.repeat(np.arange(self.n_texts, dtype=np.int32), np.diff(self._ends))


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
        self._keys = array("q", [key for key, _ in items])
        self._of_rows = [text for _, text in items]
        # A text of mere punctuation shares no letters with anything.
        self._n_found = sum(1 for text in self._of_rows if _tell_apart(text))
        if self._n_found:
            self._build()

    def __len__(self) -> int:
        """Return how many texts can be found."""
        return self._n_found

    def nearest(
        self, query: str, k: int = 3, *, visible: bytes | bytearray | None = None
    ) -> list[Match]:
        """Return up to `k` texts that share letters with `query`, best first.

        Of equally near ones the higher key, which is the newer row, comes first.
        visible: of each item, in the order given, 1 if it may be found, else 0.
        """
        told = _tell_apart(query)
        if not self._n_found or not told or k < 1:
            return []
        counted = Counter(_pieces(told))
        numbers, n_rows = self._numbers, self._n_rows
        known = [(numbers[piece], n) for piece, n in counted.items() if piece in numbers]
        if sum(n_rows[number] for number, _ in known) <= self._few_rows:
            near = self._near_in_few(known, k, visible)
        else:
            near = self._near_in_many(counted, k, visible)
        found = [Match(self._keys[row], min(1.0, round(score, 4))) for row, score in near]
        found.sort(key=lambda match: (-match.score, -match.key))
        return found[:k]

    def _near_in_few(
        self, known: list[tuple[int, int]], k: int, visible: bytes | bytearray | None
    ) -> list[tuple[int, float]]:
        """Return `k` rows or more, with their scores, for pieces that few rows have.

        Without numpy. What that has to touch in memory for a question now and then takes four
        times as long as this, and a fifth of what a message on Discord costs in all.
        """
        weights = [(1 + math.log(n)) * self._idf_of[number] for number, n in known]
        length = math.sqrt(sum(weight * weight for weight in weights))
        scores: dict[int, float] = {}
        for (number, _), weight in zip(known, weights, strict=True):
            start, share = self._start_of[number], weight / length
            end = start + self._n_rows[number]
            rows, shares = self._row_at[start:end].tolist(), self._weight_at[start:end].tolist()
            for row, of_row in zip(rows, shares, strict=True):
                scores[row] = scores.get(row, 0.0) + of_row * share
        # Rounded, as two equal texts may be a hair apart in the order of their sums.
        found = [
            (row, round(score, 4))
            for row, score in scores.items()
            if visible is None or visible[row]
        ]
        if len(found) > k:
            # All that are as near as the k-th: which of them come is for their keys to say.
            least = sorted([score for _, score in found], reverse=True)[k - 1]
            found = [one for one in found if one[1] >= least]
        return found

    def _near_in_many(
        self, counted: Mapping[str, int], k: int, visible: bytes | bytearray | None
    ) -> list[tuple[int, float]]:
        """Return `k` rows or more, with their scores, for any pieces."""
        import numpy as np  # late, so that whoever only compares two questions starts fast

        pieces, weights = self._weigh(counted)
        chosen = self._rarest(pieces)
        scores = self._likeness(pieces[chosen], weights[chosen])
        if visible is not None:
            scores *= np.frombuffer(visible, dtype=np.bool_)
        whole = bool(chosen.all())
        n = k if whole else max(k, MAX_EXACT)
        # Most texts share some letters with a question; few share so many as the best.
        best = np.flatnonzero(scores > scores.max() / 4)
        if len(best) < n:
            best = np.flatnonzero(scores)
        if len(best) > n:
            # All that are as near as the n-th: which of them come is for their keys to say.
            found_scores = scores[best]
            best = best[found_scores >= np.partition(found_scores, -n)[-n]]
        if whole:
            likeness = scores[best].tolist()
        else:
            # Hundreds that are equally near are one question; the newest few of them will do.
            best = best[-2 * n :]
            exact = scores[best] + self._rest(best, counted, pieces, weights, chosen)
            likeness = exact.tolist()
        return list(zip(best.tolist(), likeness, strict=True))

    def likeness(self, query: str, rows: Sequence[int]) -> list[float]:
        """Return the scores that `nearest` would give to the items at some rows."""
        told = _tell_apart(query)
        if not self._n_found or not told:
            return [0.0] * len(rows)
        import numpy as np

        counted = Counter(_pieces(told))
        pieces, weights = self._weigh(counted)
        none = np.zeros(len(pieces), dtype=bool)
        found = self._rest(np.array(rows, np.intp), counted, pieces, weights, none)
        return [min(1.0, score) for score in found.tolist()]

    def _rest(
        self,
        rows: npt.NDArray[np.intp],
        counted: Mapping[str, int],
        pieces: npt.NDArray[np.int64],
        weights: npt.NDArray[np.float64],
        chosen: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.float64]:
        """Return what the pieces that were not `chosen` add to the cosine of some rows."""
        import numpy as np

        numbers = self._numbers
        known = [piece for piece in counted if piece in numbers]
        left = [
            (known[at], float(weights[at] * self._idf[pieces[at]]))
            for at in np.flatnonzero(~chosen).tolist()
        ]
        found = np.zeros(len(rows))
        for n, row in enumerate(rows.tolist()):
            words = "  ".join(_tell_apart(self._of_rows[row]).split())
            text, total = f" {words} ", 0.0
            for piece, weight in left:
                if times := text.count(piece):
                    total += weight * (1 + math.log(times))
            found[n] = total / self._norms[row] if total else 0.0
        return found

    def _build(self) -> None:
        """Note for each piece of a word which texts have it, and how much it weighs there."""
        import numpy as np

        self._numbers: dict[str, int] = {}
        numbers = self._numbers
        pieces, counts = array("i"), array("H")
        ends = array("i", [0])
        for text in self._of_rows:
            counted = Counter(_pieces(_tell_apart(text)))
            pieces.extend(numbers.setdefault(piece, len(numbers)) for piece in counted)
            counts.extend(min(n, MAX_COUNTED) for n in counted.values())
            ends.append(len(pieces))
        n_texts = len(self._of_rows)
        every = [
            _Some(start, np.frombuffer(pieces, np.int32), np.frombuffer(counts, np.uint16), ends)
            for start in range(0, n_texts, AT_ONCE)
        ]
        n_texts_with = np.zeros(len(numbers), np.intp)
        for some in every:
            n_texts_with += np.bincount(some.pieces, minlength=len(numbers))
        self._idf = (np.log((1 + n_texts) / (1 + n_texts_with)) + 1).astype(np.float32)
        # What most texts have is looked at in the newest of them, if at all.
        kept = np.minimum(n_texts_with, MAX_ROWS)
        starts = np.cumsum(kept) - kept
        self._norms = np.zeros(n_texts, np.float32)
        self._texts = np.zeros(kept.sum(), np.int32)
        # Half the memory, and a thousandth of a likeness is all that it costs.
        self._weights = np.zeros(kept.sum(), np.float16 if n_texts > MANY else np.float32)
        # Sorted by piece: a question touches only the rows of its own pieces.
        next_at = starts - (n_texts_with - kept)
        for some in every:
            weights = self._idf[some.pieces] * (1 + np.log(some.counts.astype(np.float32)))
            norms = np.sqrt(np.bincount(some.texts, weights**2, some.n_texts)).astype(np.float32)
            self._norms[some.start : some.start + some.n_texts] = norms
            order = np.argsort(some.pieces, kind="stable")
            of_piece = some.pieces[order]
            n_here = np.bincount(of_piece, minlength=len(numbers))
            at = np.arange(len(order)) - np.repeat(np.cumsum(n_here) - n_here, n_here)
            at += next_at[of_piece]
            next_at += n_here
            fits = at >= starts[of_piece]
            at, order = at[fits], order[fits]
            self._texts[at] = some.start + some.texts[order]
            self._weights[at] = weights[order] / norms[some.texts[order]]
        self._kept, self._starts = kept, starts
        # The same once more, as `_near_in_few` reads it; half precision is numpy's alone.
        self._few_rows = FEW_ROWS if n_texts <= MANY else 0
        self._n_rows, self._start_of = kept.data, starts.data
        self._row_at, self._weight_at = self._texts.data, self._weights.data
        self._idf_of = self._idf.data

    def _weigh(
        self, counted: Mapping[str, int]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return the numbers of the known pieces, and what each weighs of a length of 1."""
        import numpy as np

        numbers = self._numbers
        known = [piece for piece in counted if piece in numbers]
        if not known:
            return np.zeros(0, np.int64), np.zeros(0)
        pieces = np.array([numbers[piece] for piece in known])
        counts = np.array([counted[piece] for piece in known])
        weights = (1 + np.log(counts)) * self._idf[pieces]
        return pieces, weights / math.sqrt(weights @ weights)

    def _rarest(self, pieces: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Say which pieces to look at: all, or in a large index those that tell the most."""
        import numpy as np

        n_rows = self._kept[pieces]
        if n_rows.sum() <= MAX_ROWS:
            return np.ones(len(pieces), dtype=bool)
        order = np.argsort(n_rows, kind="stable")
        within = np.cumsum(n_rows[order]) <= MAX_ROWS
        within[0] = True
        chosen = np.zeros(len(pieces), dtype=bool)
        chosen[order[within]] = True
        return chosen

    def _likeness(
        self, pieces: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float32]:
        """Return each text's cosine with a text of these pieces, float32, shape (n_texts,)."""
        import numpy as np

        # The rows of all pieces, one after the other, at once: a loop takes thrice as long.
        n_rows = self._kept[pieces]
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


_pieces_kept = lru_cache(maxsize=2_048)(_cut)


def _tell_apart(text: str) -> str:
    """Return the words of a text that tell it from others, or all when it has none.

    Among few texts the frequency of "what is the" is not yet known, and it
    would make every question like every other.
    """
    words = fold(text).split()
    return " ".join([word for word in words if word not in COMMON] or words)
