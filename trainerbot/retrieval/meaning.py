"""Texts by what they mean: embeddings, and how much nearer two are than strangers would be."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from trainerbot.retrieval.calibration import Calibration, script, unit
from trainerbot.retrieval.strangers import STRANGERS
from trainerbot.retrieval.weights import BY_MEANING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

CODES_FROM: Final = 4_096
"""From so many texts on, the few that are compared are found by the signs of their vectors."""

MOST_COMPARED: Final = 1_024
COUNTED: Final = 16_384
AT_ONCE: Final = 8_192

MAX_LATELY: Final = 4_096

MAX_FOUND: Final = 64
"""Texts that are kept placed: one is placed in one thread and looked up in another at once."""

OTHER_SCRIPT: Final = 0.4
"""Taken off the cosine of texts in different letters: who asks in Russian is shown Russian first."""


class Embedder(Protocol):
    """A model that turns texts into vectors. Slow (3 ms a text and more): never on an event loop."""

    name: str

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), n_dimensions), the same number each time.

        Raises ProviderUnavailable or ProviderRefused when there is no answer in time.
        """
        ...


class Placed(NamedTuple):
    """A text among others: its unit vector, its nearness to strangers, and in which letters it is."""

    vector: Vectors
    strangers: float
    script: int


class Space:
    """The vectors of one embedder, made comparable by its calibration.

    Without one the mean text is taken off and no more; see `Calibration` for
    what that leaves undone. embeds_late: whether a text of an index that has no
    vector yet is embedded while somebody waits.
    """

    def __init__(
        self,
        embedder: Embedder,
        calibration: Calibration | None = None,
        *,
        embeds_late: bool = True,
    ) -> None:
        self.name = embedder.name
        self.embeds_late = embeds_late
        self._embedder = embedder
        self._calibration = calibration
        self._lock = threading.Lock()
        self._lately: OrderedDict[str, bytes] = OrderedDict()
        self._found: OrderedDict[str, Placed] = OrderedDict()

    @property
    def weights(self) -> tuple[float, ...]:
        """Of `judging`: what the signs are worth by this model."""
        return BY_MEANING if self._calibration is None else self._calibration.weights

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the placed vectors of texts, float32, shape (n, r), each of length 1."""
        raw = self._embedder.embed(texts)
        return self._calibrated().place(texts, raw)

    def remembered(self, texts: Sequence[str]) -> Vectors:
        """Return the placed vectors of one text or more; those of lately are still known.

        Each is kept in one byte a number.
        """
        import numpy as np

        with self._lock:
            found = {text: self._lately[text] for text in texts if text in self._lately}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new:
            found.update(zip(new, map(packed, self.embed(new)), strict=True))
            with self._lock:
                self._lately.update(found)
                while len(self._lately) > MAX_LATELY:
                    self._lately.popitem(last=False)
        rows = [np.frombuffer(found[text], np.int8) for text in texts]
        return unit(np.array(rows, dtype=np.float32))

    def knows(self, text: str) -> bool:
        """Whether the vector of a text is known without asking for it."""
        with self._lock:
            return text in self._lately

    def find(self, text: str) -> Placed:
        """Place one text. Raises as the embedder does."""
        with self._lock:
            found = self._found.get(text)
        if found is None:
            vectors = self.remembered([text])
            found = Placed(vectors[0], float(self.nearness(vectors)[0]), script(text))
            with self._lock:
                self._found[text] = found
                while len(self._found) > MAX_FOUND:
                    self._found.popitem(last=False)
        return found

    def nearness(self, placed: Vectors) -> Vectors:
        """Return how near each placed vector is to the strangers nearest to it: (n,)."""
        return self._calibrated().nearness(placed)

    def _calibrated(self) -> Calibration:
        if self._calibration is None:
            import numpy as np

            raw = unit(self._embedder.embed(STRANGERS))
            mean = raw.mean(axis=0)
            self._calibration = Calibration(
                means=np.array([mean] * 3),
                projection=np.eye(raw.shape[1], dtype=np.float32),
                strangers=unit(raw - mean),
                weights=BY_MEANING,
            )
        return self._calibration


class NearestMeanings:
    """An index over placed vectors, one row each, in one byte a number.

    known: which rows have a vector; the others are never found. strangers: of
    each row its nearness to them. scripts: of each row its letters.
    """

    def __init__(self, rows: npt.NDArray[np.int8], space: Space, scripts: Sequence[int]) -> None:
        import numpy as np

        self._rows = rows
        self._scripts = np.array(scripts, dtype=np.int8)
        n = len(rows)
        self._shrink = np.zeros(n, dtype=np.float32)
        self.strangers = np.zeros(n, dtype=np.float32)
        codes = []
        # Not all at once: a hundred thousand rows as float32 are 80 MB and more.
        for start in range(0, n, AT_ONCE):
            some = rows[start : start + AT_ONCE].astype(np.float32)
            norms = np.linalg.norm(some, axis=1)
            self._shrink[start : start + AT_ONCE] = np.where(
                norms > 0, 1 / np.maximum(norms, 1e-9), 0
            )
            self.strangers[start : start + AT_ONCE] = space.nearness(unit(some))
            codes.append(_codes(some))
        self.known = self._shrink > 0
        self._all_known = bool(self.known.all())
        # A word of all rows after the other: eight times as fast to go through as row by row.
        self._codes = np.ascontiguousarray(np.vstack(codes).T) if n >= CODES_FROM else None

    def nearest(
        self, meant: Placed, k: int, *, visible: bytes | bytearray | None = None
    ) -> list[int]:
        """Return up to `k` rows, nearest first.

        visible: of each row 1 if it may be found, else 0; all may without.
        """
        import numpy as np

        fits = self.known
        if visible is not None:
            fits = fits & np.frombuffer(visible, dtype=np.bool_)
        rows = None if fits is self.known and self._all_known else np.flatnonzero(fits)
        if self._codes is not None and (rows is None or len(rows) > MOST_COMPARED):
            rows = self._nearest_by_signs(meant, rows)
        elif rows is None:
            rows = np.arange(len(fits))
        cosines = self.cosines(meant, rows)
        if len(rows) > k:
            best = np.argpartition(cosines, -k)[-k:]
            rows, cosines = rows[best], cosines[best]
        return [int(row) for row in rows[np.argsort(-cosines, kind="stable")]]

    def _nearest_by_signs(
        self, meant: Placed, rows: npt.NDArray[np.intp] | None
    ) -> npt.NDArray[np.intp]:
        """Return MOST_COMPARED of `rows`, or of all: those whose vectors differ in the fewest signs.

        Of those that differ in equally many the later ones.
        """
        import numpy as np

        assert self._codes is not None  # as the caller saw
        n = len(self.known) if rows is None else len(rows)
        apart: npt.NDArray[np.uint8 | np.uint16] = np.zeros(
            n, np.uint8 if len(self._codes) < 4 else np.uint16
        )
        for of_rows, of_question in zip(self._codes, _codes(meant.vector[None, :])[0], strict=True):
            apart += np.bitwise_count((of_rows if rows is None else of_rows[rows]) ^ of_question)
        # How far to look is told by some of them: to count or to order all takes longer than the rest.
        step = max(1, n // COUNTED)
        within = np.cumsum(np.bincount(apart[::step])) * step
        edge = np.searchsorted(within, min(2 * MOST_COMPARED, within[-1]))
        near = np.flatnonzero(apart <= edge)[::-1]
        near = near[np.argsort(apart[near], kind="stable")[:MOST_COMPARED]]
        return near if rows is None else rows[near]

    def cosines(self, meant: Placed, rows: npt.NDArray[np.intp]) -> Vectors:
        """Return the cosine of `meant` with each of some rows, float32, less for other letters."""
        likeness: Vectors = (self._rows[rows] @ meant.vector) * self._shrink[rows]
        likeness -= OTHER_SCRIPT * (self._scripts[rows] != meant.script)
        return likeness


@cache
def _turn(n_dimensions: int) -> Vectors:
    """Return a rotation by chance, the same each time: shape (n_dimensions, n_dimensions)."""
    import numpy as np

    chance = np.random.default_rng(1).normal(size=(n_dimensions, n_dimensions))
    rotation: Vectors = np.linalg.qr(chance)[0].astype(np.float32)
    return rotation


def packed(vector: Vectors) -> bytes:
    """Return a vector in one byte a number; its length is lost."""
    import numpy as np

    scale = 127 / max(float(np.abs(vector).max()), 1e-9)
    numbers: npt.NDArray[np.int8] = np.rint(vector * scale).astype(np.int8)
    return numbers.tobytes()


def _codes(vectors: Vectors) -> npt.NDArray[np.uint64]:
    """Return one bit a number, its sign, in words of 64: shape (n, d / 64).

    Turned before, any way: as they come, the first numbers tell far more than
    the last, and their signs no more. Of the six nearest among 100,000 the
    signs of turned ones lead to 93 of 100, those of others to 80.
    """
    import numpy as np

    bits = np.packbits(vectors @ _turn(vectors.shape[1]) > 0, axis=1)
    spare = -bits.shape[1] % 8
    return np.pad(bits, ((0, 0), (0, spare))).view(np.uint64)
