"""Vectors of texts, by llama.cpp over the weights of a base model.

The same file is loaded a second time, at the first need: a model that answers
keeps no vectors. They are the mean over the tokens of what the last layer
says, of length 1. A model that was made to chat and not to compare texts tells
near texts from far ones only roughly.
"""

import asyncio
import base64
import secrets
import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from trainerbot.errors import InvalidInput, ProviderUnavailable
from trainerbot.modelserver.runtimes.base import ContextTooLong, Embeddings, Overloaded
from trainerbot.modelserver.runtimes.memory import Memory

# One pass reads a whole text, and its buffers grow with that: 200 MB for these.
MAX_TOKENS = 512
_BESIDE_BYTES = 256 * 1024 * 1024
_GROUP = 16
_MAX_WAITING = 32


class Embedder:
    """Vectors of one GGUF file. Loads it at the first need, and makes room when it is idle."""

    def __init__(self, path: Path, memory: Memory, *, context_tokens: int, n_threads: int) -> None:
        self._path = path
        self._memory = memory
        self._max_tokens = min(MAX_TOKENS, context_tokens)
        self._n_threads = n_threads
        # One thread: one model gains nothing from two callers.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedding")
        self._loading = asyncio.Lock()
        self._server: Any = None
        self._n_waiting = 0

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for vectors."""
        return self._n_waiting == 0

    async def unload(self) -> None:
        """Give its memory back; the next text loads it again."""
        server, self._server = self._server, None
        if server is not None:
            # llama.cpp waits for its threads.
            await asyncio.to_thread(lambda held: held.clear(), [server])

    async def embed(self, inputs: Sequence[str] | Sequence[Sequence[int]]) -> Embeddings:
        """See ChatRuntime.embed. Cancelled, it stops after the few inputs in hand."""
        if self._n_waiting >= _MAX_WAITING:
            raise Overloaded("The engine is currently overloaded, please try again later")
        self._n_waiting += 1
        try:
            await self._ready()
            vectors, n_tokens = list[tuple[float, ...]](), 0
            for start in range(0, len(inputs), _GROUP):
                some = await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._group, list(inputs[start : start + _GROUP])
                )
                vectors += some.vectors
                n_tokens += some.n_tokens
            return Embeddings(tuple(vectors), n_tokens)
        finally:
            self._n_waiting -= 1

    async def _ready(self) -> None:
        async with self._loading:
            if self._server is None:
                n_bytes = self._path.stat().st_size + _BESIDE_BYTES

                async def load() -> int:
                    self._server = await asyncio.get_running_loop().run_in_executor(
                        self._thread, self._load
                    )
                    # Not measured: the buffers come with the first long text.
                    return n_bytes

                await self._memory.load(self, load, key=self, expected_bytes=n_bytes)
            self._memory.used(self)

    def _group(self, inputs: list[Any]) -> Embeddings:
        # As base64: numbers as JSON cost many times the time.
        told = self._server.handle_embeddings({"input": inputs, "encoding_format": "base64"})
        if "error" in told:
            raise self._failure(told["error"])
        vectors = [base64.b64decode(row["embedding"]) for row in told["data"]]
        return Embeddings(
            tuple(struct.unpack(f"<{len(data) // 4}f", data) for data in vectors),
            told["usage"]["prompt_tokens"],
        )

    def _load(self) -> Any:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(self._path)
        params.embedding = True
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        params.embd_normalize = 2
        params.n_parallel = 1
        params.n_ctx = params.n_batch = params.n_ubatch = self._max_tokens
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self._n_threads
        # It opens a port on loopback, for which nobody has the key.
        params.api_keys = [secrets.token_urlsafe(32)]
        params.cors_origins = ""
        params.ui = False
        params.endpoint_slots = False
        params.warmup = False
        params.cache_ram_mib = 0
        params.verbosity = 0
        try:
            return xllamacpp.Server(params)
        except RuntimeError as error:
            raise ProviderUnavailable(
                "The base model could not be loaded for embeddings: its file is damaged, of an "
                "unknown kind, or too large for this machine's memory."
            ) from error

    def _failure(self, error: dict[str, Any]) -> Exception:
        message = str(error.get("message"))
        if "too large to process" in message or error.get("type") == "exceed_context_size_error":
            return ContextTooLong(
                f"This model's maximum context length is {self._max_tokens} tokens for an input of "
                "embeddings. Please reduce your input."
            )
        if error.get("code") == 400:
            return InvalidInput(f"The model cannot read this input: {message}")
        return ProviderUnavailable("The language model failed on this request. Try again.")

    def close(self) -> None:
        """Free the model."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._server = None
