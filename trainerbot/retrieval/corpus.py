"""A number of texts that never change, and which of them help with a question."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.retrieval.calibration import script
from trainerbot.retrieval.judging import Meaning, chance
from trainerbot.retrieval.meaning import NearestMeanings, packed
from trainerbot.retrieval.nearest import NearestTexts

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


class Text(NamedTuple):
    """A text under its key, at one of the places that the asker names by number.

    vector: its placed embedding as int8; None if there is none yet.
    """

    key: int
    text: str
    place: int = 0
    vector: bytes | None = None


class Found(NamedTuple):
    """A text that was found: how likely it helps, and its likeness by letters, each 0 to 1."""

    key: int
    chance: float
    letters: float


class Corpus:
    """Some texts, indexed when they are first asked for. Safe to share among threads.

    With a `space`, texts are compared by meaning too. Of those without a vector
    the first MAX_EMBEDDED are embedded when the index is built, where the space
    embeds late.
    """

    def __init__(self, texts: Sequence[Text], space: Space | None = None) -> None:
        self.texts = texts
        self._space = space
        self._building = threading.Lock()
        self._letters: NearestTexts | None = None
        self._meanings: NearestMeanings | None = None

    def __len__(self) -> int:
        return len(self.texts)

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
        if not self.texts:
            return []
        letters = self._ready()
        visible = alive if self._all_places <= set(places) else self._alive_at(places, alive)
        near = {
            self._row_of[match.key]: match.score
            for match in letters.nearest(question, MAX_CANDIDATES, visible=visible)
            if match.score >= LEAST_LETTERS
        }
        if meant is None or self._meanings is None:
            found = [self._judged(question, row, near[row], None) for row in near]
        else:
            rows = {*near, *self._meanings.nearest(meant, _flags(visible), MAX_CANDIDATES)}
            found = self._by_meaning(question, sorted(rows), near, meant, letters)
        found.sort(key=lambda one: (-one.chance, -one.letters, -one.key))
        return found

    def _alive_at(self, places: Collection[int], alive: bytes | bytearray) -> bytes:
        import numpy as np

        return (_flags(alive) & np.isin(self._place_of, list(places))).tobytes()

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
        found = []
        for row, cosine in zip(rows, cosines.tolist(), strict=True):
            share = near[row] if row in near else letters.likeness(question, row)
            meaning = None
            if self._meanings.known[row]:
                strangers = float(self._meanings.strangers[row])
                meaning = Meaning(cosine, meant.strangers, strangers)
            found.append(self._judged(question, row, share, meaning))
        return found

    def _judged(self, question: str, row: int, share: float, meaning: Meaning | None) -> Found:
        text = self.texts[row]
        if meaning is None or self._space is None:
            return Found(text.key, chance(question, text.text, share), share)
        likely = chance(question, text.text, share, meaning, self._space.weights)
        return Found(text.key, likely, share)

    def _ready(self) -> NearestTexts:
        """Build what is not built yet."""
        if self._letters is None:
            with self._building:
                if self._letters is None:
                    self._build_places()
                    if self._space is not None:
                        try:
                            self._meanings = self._embedded(self._space)
                            # They are in the index now, and once is enough.
                            self.texts = [text._replace(vector=None) for text in self.texts]
                        except (ProviderUnavailable, ProviderRefused) as error:
                            log.warning("Compared by their words alone: %s", error)
                    self._letters = NearestTexts([(text.key, text.text) for text in self.texts])
        return self._letters

    def _build_places(self) -> None:
        import numpy as np

        self._row_of = {text.key: row for row, text in enumerate(self.texts)}
        self._place_of: npt.NDArray[np.int32] = np.array(
            [text.place for text in self.texts], dtype=np.int32
        )
        self._all_places = {text.place for text in self.texts}

    def _embedded(self, space: Space) -> NearestMeanings | None:
        """Index the vectors of those that have one; None where none has."""
        import numpy as np

        missing = [text.text for text in self.texts if text.vector is None][:MAX_EMBEDDED]
        made: dict[str, bytes] = {}
        if missing and space.embeds_late:
            made = dict(zip(missing, map(packed, space.remembered(missing)), strict=True))
        vectors = [text.vector or made.get(text.text) for text in self.texts]
        length = next((len(vector) for vector in vectors if vector is not None), None)
        if length is None:
            return None
        # Those without are compared by their words, until somebody has embedded them.
        rows = np.zeros((len(vectors), length), dtype=np.int8)
        for at, vector in enumerate(vectors):
            if vector is not None and len(vector) == length:
                rows[at] = np.frombuffer(vector, np.int8)
        return NearestMeanings(rows, space, [script(text.text) for text in self.texts])


def _flags(of_rows: bytes | bytearray) -> npt.NDArray[np.bool_]:
    import numpy as np

    return np.frombuffer(of_rows, dtype=np.bool_)
