"""Texts by what they mean: embeddings, and how much nearer two are than strangers would be."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from trainerbot.retrieval.strangers import STRANGERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

NEAREST_STRANGERS: Final = 10
SAME_TEXT: Final = 0.98
"""Cosine from which a stranger is no stranger, but the text itself."""

CODES_FROM: Final = 4_096
"""From so many texts on, the few that are compared are found by the signs of their vectors."""

MOST_COMPARED: Final = 512


MAX_LATELY: Final = 4_096


class Embedder(Protocol):
    """A model that turns texts into vectors. Slow (10 ms a text): never on an event loop."""

    name: str

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return float32 of shape (len(texts), n_dimensions).

        Raises ProviderUnavailable when there is no answer in time.
        """
        ...


class Placed(NamedTuple):
    """A text among others: its unit vector, less the mean text, and its nearness to strangers."""

    vector: Vectors
    strangers: float


class Space:
    """The vectors of one embedder, made comparable.

    The vectors of such models all point one way, and some texts are near to
    everything. So the mean is taken off, and with each text comes how near it
    is to texts that it has nothing to do with.
    """

    def __init__(self, embedder: Embedder) -> None:
        self.name = embedder.name
        self._embedder = embedder
        self._lock = threading.Lock()
        self._lately: dict[str, bytes] = {}
        self._mean: Vectors | None = None
        self._strangers: Vectors | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts as the model gives them, float32, shape (n, d)."""
        return self._embedder.embed(texts)

    def remembered(self, texts: Sequence[str]) -> list[Vectors]:
        """Return the vectors of texts; those of lately are still known, in one byte a number."""
        import numpy as np

        with self._lock:
            new = [text for text in dict.fromkeys(texts) if text not in self._lately]
            if len(self._lately) + len(new) > MAX_LATELY:
                self._lately.clear()
                new = list(dict.fromkeys(texts))
            if new:
                self._lately.update(zip(new, map(packed, self.embed(new)), strict=True))
            found = [self._lately[text] for text in texts]
        return [np.frombuffer(each, np.int8).astype(np.float32) for each in found]

    def place(self, raw: Vectors) -> tuple[Vectors, Vectors]:
        """Return of raw vectors (n, d) the placed ones (n, d) and their nearness to strangers (n,)."""
        import numpy as np

        mean, strangers = self._known_strangers()
        vectors = _unit(_unit(raw) - mean)
        near = vectors @ strangers.T
        near[near > SAME_TEXT] = -1
        k = min(NEAREST_STRANGERS, near.shape[1])
        return vectors, np.partition(near, -k, axis=1)[:, -k:].mean(axis=1)

    def find(self, text: str) -> Placed:
        """Place one text. Raises ProviderUnavailable as the embedder does."""
        vectors, strangers = self.place(self.embed([text]))
        return Placed(vectors[0], float(strangers[0]))

    def _known_strangers(self) -> tuple[Vectors, Vectors]:
        with self._lock:
            if self._mean is None or self._strangers is None:
                raw = _unit(self.embed(STRANGERS))
                self._mean = raw.mean(axis=0)
                self._strangers = _unit(raw - self._mean)
            return self._mean, self._strangers


class NearestMeanings:
    """An index over the vectors of texts, one row each, in one byte a number.

    known: which rows have a vector; the others came with zeros and are never found.
    """

    def __init__(self, vectors: Vectors, strangers: Vectors) -> None:
        import numpy as np

        self.strangers = strangers
        scale = 127 / np.maximum(np.abs(vectors).max(axis=1, initial=1e-9), 1e-9)
        self._rows = np.rint(vectors * scale[:, None]).astype(np.int8)
        norms = np.sqrt(np.einsum("ij,ij->i", self._rows, self._rows, dtype=np.float32))
        self.known = norms > 0
        self._shrink = (1 / np.maximum(norms, 1e-9)).astype(np.float32)
        self._codes = _codes(vectors) if len(vectors) >= CODES_FROM else None

    def nearest(self, vector: Vectors, visible: npt.NDArray[np.bool_], k: int) -> list[int]:
        """Return up to `k` rows of those visible, nearest to a unit vector first."""
        import numpy as np

        rows = np.flatnonzero(visible & self.known)
        if self._codes is not None and len(rows) > MOST_COMPARED:
            codes = self._codes if len(rows) == len(self._codes) else self._codes[rows]
            apart = np.bitwise_count(codes ^ _codes(vector[None, :])).sum(axis=1, dtype=np.uint16)
            rows = rows[np.argpartition(apart, MOST_COMPARED)[:MOST_COMPARED]]
        cosines = self.cosines(vector, rows)
        if len(rows) > k:
            best = np.argpartition(cosines, -k)[-k:]
            rows, cosines = rows[best], cosines[best]
        return [int(row) for row in rows[np.argsort(-cosines, kind="stable")]]

    def cosines(self, vector: Vectors, rows: npt.NDArray[np.intp]) -> Vectors:
        """Return the cosine of `vector` with each of some rows, float32."""
        likeness: Vectors = (self._rows[rows] @ vector) * self._shrink[rows]
        return likeness


def packed(vector: Vectors) -> bytes:
    """Return a vector in one byte a number; its length is lost."""
    import numpy as np

    scale = 127 / max(float(np.abs(vector).max()), 1e-9)
    numbers: npt.NDArray[np.int8] = np.rint(vector * scale).astype(np.int8)
    return numbers.tobytes()


def _unit(vectors: Vectors) -> Vectors:
    import numpy as np

    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(norms, 1e-9)).astype(np.float32)
    return unit


def _codes(vectors: Vectors) -> npt.NDArray[np.uint64]:
    """Return one bit a number, its sign, in words of 64: shape (n, d / 64)."""
    import numpy as np

    bits = np.packbits(vectors > 0, axis=1)
    spare = -bits.shape[1] % 8
    return np.pad(bits, ((0, 0), (0, spare))).view(np.uint64)
