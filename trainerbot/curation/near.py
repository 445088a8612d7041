"""Near duplicates: texts that say the same with a few words changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from trainerbot.curation.shingles import N_HASHES, SHORT_WORDS, Texts
from trainerbot.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy as np
    import numpy.typing as npt

    Progress = Callable[[int], None]

THRESHOLD: Final = 0.8

MOST_MISSED: Final = 0.002
"""Share of pairs exactly at the threshold that may never become candidates."""

DOUBT: Final = 0.15
"""Four standard errors of a signature: a pair that seems farther below is not compared."""

NEIGHBOURS: Final = 4
"""A text is compared with the first of its bucket and so many before it.

All pairs of a bucket of 50,000 texts would take days. What is missed in one
bucket is found in another, or through a text like both.
"""

EVERY_TEXTS: Final = 1_000
"""How often `progress` is called."""


class Near(NamedTuple):
    """One text that nearly repeats another.

    `of` is the key of the first text of its group, which is in no other group
    and is reported as near to nothing. `score` is the Jaccard likeness of the
    two, counted exactly, from the threshold to 1.
    """

    key: int
    of: int
    score: float


def near_duplicates(
    items: Iterable[tuple[int, str]],
    *,
    threshold: float = THRESHOLD,
    progress: Progress | None = None,
) -> list[Near]:
    """Return the texts that nearly repeat an earlier one, in the order of `items`.

    Whoever deletes all that is returned keeps one text of every group, and
    loses none that is not at least `threshold` like a kept one. Likeness is
    that of the words and pairs of neighbouring words (Jaccard), folded, so
    that case and punctuation do not count. Texts of which one has at most
    SHORT_WORDS words must also agree in their numbers, single letters and
    negations. Texts without a word are near to nothing.

    MinHash with banded buckets (Leskovec, Rajaraman, Ullman: Mining of Massive
    Datasets, chapter 3) finds candidates; each pair reported was then compared
    in full, so that none is false and about MOST_MISSED of those at the very
    threshold are missed. Equal input gives equal output on every machine.

    Takes about 0.1 ms and 1.5 KB a text of 60 words. `progress` gets the number
    of texts read so far, again and again while they are compared, and may raise
    to stop. Keys must be unique. Raises InvalidInput for a threshold outside
    0.5 to 1.
    """
    texts = _read(items, threshold, progress)
    search = _Search(texts, threshold, progress)
    return search.near()


def near_groups(
    items: Iterable[tuple[int, str]],
    *,
    threshold: float = THRESHOLD,
    progress: Progress | None = None,
) -> dict[int, int]:
    """Return for each text with a near duplicate the first key of its group: for `split`.

    Wider groups than those of `near_duplicates`: when a is near to b and b to
    c, all three are together, though a and c may differ, so that no pair that
    was found can be torn apart. Same arguments, time and errors.
    """
    texts = _read(items, threshold, progress)
    return _Search(texts, threshold, progress).groups()


def _read(items: Iterable[tuple[int, str]], threshold: float, progress: Progress | None) -> Texts:
    if not 0.5 <= threshold <= 1:
        raise InvalidInput("The likeness of near duplicates must be between 0.5 and 1.")
    texts = Texts()
    for n_read, (key, text) in enumerate(items, 1):
        texts.add(key, text)
        if progress is not None and n_read % EVERY_TEXTS == 0:
            progress(n_read)
    return texts


def rows_a_band(threshold: float) -> int:
    """Return how many hashes make a bucket, so that at most MOST_MISSED pairs are missed."""
    rows = 1
    for more in range(2, 22):
        if (1 - threshold**more) ** (N_HASHES // more) > MOST_MISSED:
            break
        rows = more
    return rows


class _Search:
    """Joins texts into groups by pairs that were compared in full."""

    def __init__(self, texts: Texts, threshold: float, progress: Progress | None) -> None:
        self._texts = texts
        self._threshold = threshold
        self._progress = progress
        self._parents = list(range(len(texts)))
        self._shingles: dict[int, set[int]] = {}
        self._n_compared = 0
        if len(texts):
            self._signatures = texts.signatures()
            self._join()

    def groups(self) -> dict[int, int]:
        """Return the first key of the group of each text that is not alone in it."""
        keys = self._texts.keys
        return {keys[at]: keys[members[0]] for members in self._members() for at in members}

    def near(self) -> list[Near]:
        """Return each text near to an earlier one that is itself near to none before it."""
        keys = self._texts.keys
        found: list[tuple[int, Near]] = []
        for members in self._members():
            leaders = [members[0]]
            for n_done, at in enumerate(members[1:], 1):
                if n_done % EVERY_TEXTS == 0:
                    self._report()
                for leader in self._likely(at, leaders):
                    score = self._score(leader, at)
                    if score is not None:
                        found.append((at, Near(keys[at], keys[leader], round(score, 4))))
                        break
                else:
                    leaders.append(at)
        return [near for _, near in sorted(found)]

    def _likely(self, at: int, leaders: list[int]) -> list[int]:
        """Return those of a group's leaders that may be like a text, in their order."""
        if len(leaders) == 1:
            return leaders
        equal = self._signatures[leaders] == self._signatures[at]
        likely = equal.mean(axis=1) >= self._threshold - DOUBT
        return [leader for leader, is_likely in zip(leaders, likely, strict=True) if is_likely]

    def _members(self) -> list[list[int]]:
        """Return the groups of two and more, each in the order of its texts."""
        by_root: dict[int, list[int]] = {}
        for at in range(len(self._parents)):
            by_root.setdefault(self._root(at), []).append(at)
        return [members for members in by_root.values() if len(members) > 1]

    def _join(self) -> None:
        for pairs in self._candidates():
            self._report()
            for first, second in pairs.tolist():
                roots = self._root(first), self._root(second)
                if roots[0] != roots[1] and self._score(first, second) is not None:
                    self._parents[max(roots)] = min(roots)
            self._shingles.clear()

    def _candidates(self) -> Iterator[npt.NDArray[np.int64]]:
        """Yield pairs of texts worth a comparison, shape (n, 2), the first one smaller."""

        yield self._pairs(self._signatures)
        rows = rows_a_band(self._threshold)
        for first in range(0, N_HASHES - rows + 1, rows):
            yield self._pairs(self._signatures[:, first : first + rows])

    def _pairs(self, columns: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
        """Return pairs of texts with equal columns that also seem alike in all others."""
        import numpy as np

        # One 64-bit digest a row: order within a bucket is that of the texts.
        digests = np.zeros(len(columns), dtype=np.uint64)
        for column in columns.T:
            digests = (digests ^ column) * np.uint64(0x9E3779B97F4A7C15)
            digests ^= digests >> np.uint64(29)
        order = np.argsort(digests, kind="stable")
        is_first = np.ones(len(order), dtype=bool)
        is_first[1:] = digests[order[1:]] != digests[order[:-1]]
        starts = np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))
        rest = np.flatnonzero(~is_first)
        before = [order[starts[rest]]]
        after = [order[rest]]
        for back in range(1, NEIGHBOURS + 1):
            inside = rest[rest - back > starts[rest]]
            before.append(order[inside - back])
            after.append(order[inside])
        pairs: npt.NDArray[np.int64] = np.stack(
            (np.concatenate(before), np.concatenate(after)), axis=1
        )
        # Whether two of one group are alike is asked later, of its leaders.
        roots = self._roots()
        pairs = pairs[roots[pairs[:, 0]] != roots[pairs[:, 1]]]
        alike: npt.NDArray[np.int64] = pairs[self._seem_alike(pairs)]
        return alike

    def _seem_alike(self, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        import numpy as np

        marks = np.frombuffer(self._texts.marks, dtype=np.int64)
        lengths = np.frombuffer(self._texts.lengths, dtype=np.uint32)
        first, second = pairs.T
        alike: npt.NDArray[np.bool_] = np.minimum(lengths[first], lengths[second]) > SHORT_WORDS
        alike |= marks[first] == marks[second]
        least = (self._threshold - DOUBT) * N_HASHES
        for start in range(0, len(pairs), 10_000):
            part = slice(start, start + 10_000)
            equal = self._signatures[first[part]] == self._signatures[second[part]]
            alike[part] &= np.count_nonzero(equal, axis=1) >= least
        return alike

    def _score(self, first: int, second: int) -> float | None:
        """Return the Jaccard likeness of two texts, or None when they are not near."""
        self._n_compared += 1
        if self._n_compared % EVERY_TEXTS == 0:
            self._report()
        texts = self._texts
        short = min(texts.lengths[first], texts.lengths[second]) <= SHORT_WORDS
        if short and texts.marks[first] != texts.marks[second]:
            return None
        one, other = self._shingles_of(first), texts.shingles(second)
        n_shared = len(one & other)
        score = n_shared / (len(one) + len(other) - n_shared)
        return score if score >= self._threshold else None

    def _shingles_of(self, at: int) -> set[int]:
        """Return the shingles of a text that is likely to be asked for again."""
        found = self._shingles.get(at)
        if found is None:
            if len(self._shingles) > 1_000:
                self._shingles.clear()
            found = self._shingles[at] = self._texts.shingles(at)
        return found

    def _root(self, at: int) -> int:
        parents = self._parents
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    def _roots(self) -> npt.NDArray[np.int64]:
        """Return the root of every text."""
        import numpy as np

        parents = np.array(self._parents, dtype=np.int64)
        while not np.array_equal(upper := parents[parents], parents):
            parents = upper
        return parents

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(len(self._texts))
