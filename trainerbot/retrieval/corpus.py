"""A number of texts that never change, and which of them help with a question."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.retrieval.calibration import script
from trainerbot.retrieval.giving_back import give_back_memory
from trainerbot.retrieval.judging import Meaning, chance
from trainerbot.retrieval.meaning import NearestMeanings, packed
from trainerbot.retrieval.nearest import MANY, NearestTexts

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy as np
    import numpy.typing as npt

    from trainerbot.retrieval.meaning import Placed, Space

log = logging.getLogger(__name__)

MAX_CANDIDATES: Final = 6
"""Texts looked at closely, of those nearest by letters and as many by meaning."""

MAX_EMBEDDED: Final = 64
"""While somebody waits: about a second and a half."""

LEAST_LETTERS: Final = 0.1
"""Likeness below which to share letters is chance."""


class Found(NamedTuple):
    """A text that was found: how likely it helps, and its likeness by letters, each 0 to 1."""

    key: int
    chance: float
    letters: float


class Vectors:
    """Placed embeddings by key, as int8 of one length: as objects they would take a half more."""

    def __init__(self) -> None:
        self._at: dict[int, int] = {}
        self._numbers = bytearray()
        self._length = 0

    def add(self, key: int, vector: bytes) -> None:
        """Keep a vector. One of another length than the first is another model's, and left out."""
        self.discard(key)
        self._length = self._length or len(vector)
        if len(vector) == self._length:
            self._at[key] = len(self._numbers) // self._length
            self._numbers += vector

    def discard(self, key: int) -> None:
        """Forget a vector, if there is one."""
        self._at.pop(key, None)

    def __contains__(self, key: int) -> bool:
        return key in self._at

    def without(self, keys: Sequence[int] = ()) -> Vectors:
        """Return a copy, less those of some keys."""
        left = Vectors()
        for key in self._at.keys() - set(keys):
            start = self._at[key] * self._length
            left.add(key, bytes(self._numbers[start : start + self._length]))
        return left

    def rows(self, keys: Sequence[int]) -> npt.NDArray[np.int8] | None:
        """Return those of some keys, shape (len(keys), n_dimensions), 0 where there is none.

        None where all are 0.
        """
        import numpy as np

        at = np.array([self._at.get(key, -1) for key in keys])
        if not (at >= 0).any():
            return None
        known = np.frombuffer(self._numbers, np.int8).reshape(-1, self._length)
        rows: npt.NDArray[np.int8] = known[at]
        rows[at < 0] = 0
        return rows


class Corpus:
    """Some texts by ascending keys, indexed when first asked for. Safe to share among threads.

    places: of each text where it counts, as a number that the asker names.
    vectors: what is known of their placed embeddings. With a `space`, texts
    are compared by meaning too. Of those without a vector the first
    MAX_EMBEDDED are embedded when the index is built, where the space embeds
    late.
    """

    def __init__(
        self,
        keys: Sequence[int],
        texts: Sequence[str],
        places: Sequence[int],
        vectors: Vectors,
        space: Space | None = None,
    ) -> None:
        self._keys, self._texts, self._places = keys, texts, places
        # Until the index is built, which has what it needs of them.
        self._vectors: Vectors | None = vectors
        self._space = space
        self._all_places = set(places)
        self._building = threading.Lock()
        self._letters: NearestTexts | None = None
        self._meanings: NearestMeanings | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def search(
        self,
        question: str,
        *,
        places: Collection[int],
        alive: bytes | bytearray,
        meant: Placed | None = None,
    ) -> list[Found]:
        """Return the texts of those `places` that are nearest to `question`, likeliest first.

        alive: of each text, in the order given, 1 if it may be found, else 0.
        Those that must not be used for this question come with a chance of 0.
        """
        if not self._keys:
            return []
        letters = self._ready()
        visible: bytes | bytearray | None = alive
        if not self._all_places <= set(places):
            visible = self._alive_at(places, alive)
        elif 0 not in alive:
            visible = None  # all of them, as most often
        near = {
            match.key: match.score
            for match in letters.nearest(question, MAX_CANDIDATES, visible=visible)
            if match.score >= LEAST_LETTERS
        }
        if meant is None or self._meanings is None:
            found = [self._judged(question, row, near[row], None) for row in near]
        else:
            rows = {*near, *self._meanings.nearest(meant, MAX_CANDIDATES, visible=visible)}
            found = self._by_meaning(question, sorted(rows), near, meant, letters)
        found.sort(key=lambda one: (-one.chance, -one.letters, -one.key))
        return found

    def _alive_at(self, places: Collection[int], alive: bytes | bytearray) -> bytes:
        import numpy as np

        return (_flags(alive) & np.isin(np.array(self._places), list(places))).tobytes()

    def _by_meaning(
        self,
        question: str,
        rows: list[int],
        near: dict[int, float],
        meant: Placed,
        letters: NearestTexts,
    ) -> list[Found]:
        import numpy as np

        assert self._meanings is not None  # as the caller saw
        cosines = self._meanings.cosines(meant, np.array(rows))
        others = [row for row in rows if row not in near]
        near = near | dict(zip(others, letters.likeness(question, others), strict=True))
        found = []
        for row, cosine in zip(rows, cosines.tolist(), strict=True):
            meaning = None
            if self._meanings.known[row]:
                strangers = float(self._meanings.strangers[row])
                meaning = Meaning(cosine, meant.strangers, strangers)
            found.append(self._judged(question, row, near[row], meaning))
        return found

    def _judged(self, question: str, row: int, share: float, meaning: Meaning | None) -> Found:
        key, known = self._keys[row], self._texts[row]
        if meaning is None or self._space is None:
            return Found(key, chance(question, known, share), share)
        return Found(key, chance(question, known, share, meaning, self._space.weights), share)

    def _ready(self) -> NearestTexts:
        """Build what is not built yet."""
        if self._letters is None:
            with self._building:
                if self._letters is None:
                    if self._space is not None:
                        try:
                            self._meanings = self._embedded(self._space)
                        except (ProviderUnavailable, ProviderRefused) as error:
                            log.warning("Compared by their words alone: %s", error)
                    self._vectors = None
                    letters = NearestTexts(list(enumerate(self._texts)))
                    if len(letters) > MANY:
                        give_back_memory()
                    self._letters = letters
        return self._letters

    def _embedded(self, space: Space) -> NearestMeanings | None:
        """Index the vectors of those that have one; None where none has."""
        vectors = self._vectors
        if vectors is None:
            return self._meanings
        if space.embeds_late:
            vectors = vectors.without()
            missing = {
                text: key
                for key, text in zip(self._keys, self._texts, strict=True)
                if key not in vectors
            }
            late = list(missing)[:MAX_EMBEDDED]
            if late:
                for text, vector in zip(late, space.remembered(late), strict=True):
                    vectors.add(missing[text], packed(vector))
        # Those without are compared by their words, until somebody has embedded them.
        rows = vectors.rows(self._keys)
        if rows is None:
            return None
        return NearestMeanings(rows, space, [script(text) for text in self._texts])


def _flags(of_rows: bytes | bytearray) -> npt.NDArray[np.bool_]:
    import numpy as np

    return np.frombuffer(of_rows, dtype=np.bool_)
