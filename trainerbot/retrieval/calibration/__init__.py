"""One embedding model, made to compare questions: found once, by a few hundred of our own."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

NEAREST_STRANGERS: Final = 10
SAME_TEXT: Final = 0.98
"""Cosine from which a stranger is no stranger, but the text itself."""

LATIN, CYRILLIC, OTHER = 0, 1, 2
ASCII_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns the vectors of one model into ones whose cosine tells a paraphrase.

    The vectors of such models point one way, and most of all the way of their
    language; so of each script the mean is taken off. And they differ among
    wordings of one question in some directions more than in others; `projection`
    makes those small and keeps what tells questions apart (within-class
    covariance normalisation, Hatch and others, 2006).

    means: (3, d), of texts in Latin, Cyrillic and other letters. projection:
    (d, r). strangers: (n, r), projected texts that nothing has to do with.
    weights: of `judging`. All float32.
    """

    means: Vectors
    projection: Vectors
    strangers: Vectors
    weights: tuple[float, ...]

    @property
    def n_dimensions(self) -> int:
        """How long the vectors are that the model itself gives."""
        return int(self.projection.shape[0])

    def place(self, texts: Sequence[str], raw: Vectors) -> Vectors:
        """Return the vectors of texts as compared: (n, r), each of length 1."""
        scripts = [script(text) for text in texts]
        placed: Vectors = unit((unit(raw) - self.means[scripts]) @ self.projection)
        return placed

    def nearness(self, placed: Vectors) -> Vectors:
        """Return how near each is to the strangers nearest to it: (n,)."""
        import numpy as np

        near = placed @ self.strangers.T
        near[near > SAME_TEXT] = -1
        k = min(NEAREST_STRANGERS, near.shape[1])
        nearness: Vectors = np.partition(near, -k, axis=1)[:, -k:].mean(axis=1)
        return nearness

    def to_bytes(self) -> bytes:
        """Return all of it, for `from_bytes`."""
        import numpy as np

        kept = io.BytesIO()
        np.savez_compressed(
            kept,
            means=self.means.astype(np.float16),
            projection=self.projection.astype(np.float32),
            strangers=self.strangers.astype(np.float16),
            weights=np.array(self.weights),
        )
        return kept.getvalue()

    @classmethod
    def from_bytes(cls, kept: bytes) -> Calibration:
        """Read what `to_bytes` wrote. Raises ValueError for anything else."""
        import zipfile

        import numpy as np

        try:
            with np.load(io.BytesIO(kept), allow_pickle=False) as parts:
                return cls(
                    parts["means"].astype(np.float32),
                    parts["projection"].astype(np.float32),
                    parts["strangers"].astype(np.float32),
                    tuple(parts["weights"].tolist()),
                )
        except (KeyError, OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError("These bytes are no calibration.") from error


@lru_cache(maxsize=8_192)
def script(text: str) -> int:
    """Say in which letters most of a text is: LATIN, CYRILLIC or OTHER."""
    counts = [0, 0, 0]
    for character in text[:400].lower():
        if character in ASCII_LETTERS:
            counts[LATIN] += 1
        elif "а" <= character <= "ё":
            counts[CYRILLIC] += 1
        elif character.isalpha():
            name = unicodedata.name(character, "")
            counts[LATIN if "LATIN" in name else CYRILLIC if "CYRILLIC" in name else OTHER] += 1
    return counts.index(max(counts)) if any(counts) else OTHER


def unit(vectors: npt.NDArray[np.floating[Any]]) -> Vectors:
    """Return rows of length 1; of zeros, zeros."""
    import numpy as np

    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: Vectors = (vectors / np.maximum(norms, 1e-9)).astype(np.float32)
    return found
