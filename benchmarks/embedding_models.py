"""The embedding models of our own server, without the server: for benchmarks."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from trainerbot.modelserver.runtimes.memory import Memory
from trainerbot.modelserver.runtimes.sentences import (
    BOTH,
    E5,
    USE,
    find_sentence_models,
    load_both,
    load_e5,
    load_use,
)

LOADS: dict[str, Callable[[], Callable[[list[str]], Any]]] = {
    USE: load_use,
    E5: load_e5,
    BOTH: load_both,
}


class Local:
    """An `Embedder` in this process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._encode = LOADS[name]()

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.asarray(self._encode(list(texts)), dtype=np.float32)


def installed() -> list[str]:
    """Return the names of the models whose packages are here."""
    return list(find_sentence_models(Memory(1024)))
