"""llama.cpp in this process, through xllamacpp.

The library runs its own thread for the model; a request is one call that
blocks its caller and hands every chunk to a callback, so each waits in a
thread of a pool as large as the model has slots. Python's global lock is free
while it waits.
"""

import asyncio
import contextlib
import importlib.util
import json
import logging
import os
import secrets
import threading
import urllib.request
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from trainerbot.errors import ProviderUnavailable
from trainerbot.messages import ChatMessage
from trainerbot.modelserver.runtimes import asking
from trainerbot.modelserver.runtimes.base import (
    Answer,
    BaseModelRow,
    Embeddings,
    Options,
    Overloaded,
    RuntimeAbsent,
)
from trainerbot.modelserver.runtimes.embedding import Embedder
from trainerbot.modelserver.runtimes.weights import Weights

log = logging.getLogger(__name__)


class _Call:
    """One request on its way between the event loop and a thread of the model."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.chunks: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.stop = threading.Event()

    def hand_over(self, chunk: dict[str, Any] | None) -> None:
        """Give the loop a chunk, or None for the end. Called from the model's thread."""
        # A loop that closed meanwhile reads no more.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.chunks.put_nowait, chunk)


def spare_threads() -> int:
    """Return how many threads a model may use: one less than there are cores.

    Its threads wait for each other by spinning. Where they had to share a core
    with another process, two threads made 2 to 8 tokens a second; one made 57.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    n_cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, n_cores - 1)


class LlamaCpp:
    """A ChatRuntime over one GGUF file, loaded at the first need."""

    def __init__(
        self,
        weights: Weights | None,
        *,
        context_tokens: int = 2048,
        n_parallel: int = 2,
        n_threads: int | None = None,
        max_waiting: int = 32,
    ) -> None:
        # find_spec, so that a server that never chats never pays for the import.
        installed = importlib.util.find_spec("xllamacpp") is not None
        self._weights = weights if installed else None
        self._row = None
        if self._weights is not None:
            self._row = BaseModelRow(
                id=self._weights.model_id,
                created=int(self._weights.path.stat().st_mtime),
                context_tokens=context_tokens,
                details={"runtime": "llama.cpp"},
            )
        self._context_tokens = context_tokens
        self._n_parallel = n_parallel
        self._n_threads = n_threads or spare_threads()
        self._max_in_flight = n_parallel + max_waiting
        self._in_flight: set[_Call] = set()
        self._threads = ThreadPoolExecutor(n_parallel, thread_name_prefix="llamacpp")
        self._loading = asyncio.Lock()
        self._server: Any = None
        # Guards the port that llama.cpp opens on loopback beside its calls.
        self._inner_key = secrets.token_urlsafe(32)
        self._failure: ProviderUnavailable | None = None
        self._tools_known: bool | None = None
        self._embedder = None
        if self._weights is not None:
            self._embedder = Embedder(
                self._weights.path, context_tokens=context_tokens, n_threads=self._n_threads
            )

    @property
    def row(self) -> BaseModelRow | None:
        """What GET /v1/models says of the model, or None where there is none."""
        return self._row

    @property
    def state(self) -> str:
        """One word for /healthz."""
        if self._weights is None:
            return "absent"
        if self._failure is not None:
            return "failed"
        if self._server is not None:
            return "ready"
        return "loading" if self._loading.locked() else "not loaded"

    async def warm_up(self) -> None:
        """Load the model now rather than at the first answer."""
        async with self._loading:
            if self._server is not None:
                return
            if self._weights is None:
                raise RuntimeAbsent
            if self._failure is not None:
                raise self._failure
            loop = asyncio.get_running_loop()
            try:
                self._server = await loop.run_in_executor(self._threads, self._load)
            except RuntimeError as error:
                self._failure = ProviderUnavailable(
                    f"The base model {self._weights.model_id} could not be loaded: its file is "
                    "damaged, of an unknown kind, or too large for this machine's memory."
                )
                raise self._failure from error
            log.info("Loaded %s", self._weights.model_id)

    def _load(self) -> Any:
        import xllamacpp

        assert self._weights is not None
        params = xllamacpp.CommonParams()
        params.model.path = str(self._weights.path)
        params.n_parallel = self._n_parallel
        params.n_ctx = self._context_tokens * self._n_parallel
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self._n_threads
        params.api_keys = [self._inner_key]
        params.cors_origins = ""
        params.ui = False
        params.endpoint_slots = False
        params.warmup = False
        params.cache_ram_mib = 0  # the prompt cache may otherwise grow to 8 GiB
        params.verbosity = 0
        return xllamacpp.Server(params)

    async def stream(self, messages: Sequence[ChatMessage], options: Options) -> Answer:
        """Yield one Start, pieces, then one Finish. See ChatRuntime."""
        if len(self._in_flight) >= self._max_in_flight:
            raise Overloaded("The engine is currently overloaded, please try again later")
        call = _Call(asyncio.get_running_loop())
        self._in_flight.add(call)
        try:
            if self._server is None:
                await self.warm_up()
            assert self._weights is not None
            knows_tools = await self._knows_tools(messages, options)
            request = asking.request(
                messages, options, self._weights.defaults, knows_tools=knows_tools
            )
            working = call.loop.run_in_executor(self._threads, self._work, request, call)
            try:
                told = asking.events(self._chunks(call), options, reads_calls=not knows_tools)
                async with contextlib.aclosing(told):
                    async for event in told:
                        yield event
            finally:
                call.stop.set()
                working.cancel()
        finally:
            self._in_flight.discard(call)

    async def _chunks(self, call: "_Call") -> AsyncGenerator[dict[str, Any], None]:
        """Yield what the model's thread hands over. Raises llama.cpp's errors in our words."""
        while (chunk := await call.chunks.get()) is not None:
            if "error" in chunk:
                raise asking.failure(chunk["error"], self._context_tokens)
            yield chunk

    async def _knows_tools(self, messages: Sequence[ChatMessage], options: Options) -> bool:
        """Return whether the model's chat template has words for tools. False where none is due."""
        if not asking.may_call(options.tools, messages):
            return False
        if self._tools_known is None:
            props = await asyncio.to_thread(_got, self._inner("/props"))
            self._tools_known = bool(props.get("chat_template_caps", {}).get("supports_tools"))
        return self._tools_known

    def _work(self, request: dict[str, Any], call: "_Call") -> None:
        """Run one request to its end in this thread, or until `call.stop`."""

        def on_chunk(chunk: dict[str, Any]) -> bool:
            call.hand_over(chunk)
            return call.stop.is_set()  # True ends the call

        try:
            if not call.stop.is_set():
                self._server.handle_chat_completions(request, on_chunk)
        except ValueError as error:
            call.hand_over({"error": {"code": 400, "message": str(error)}})
        except RuntimeError as error:
            log.exception("llama.cpp refused a request")
            call.hand_over({"error": {"code": 500, "message": str(error)}})
        finally:
            call.hand_over(None)

    async def embed(self, inputs: Sequence[str] | Sequence[Sequence[int]]) -> Embeddings:
        """See ChatRuntime.embed."""
        if self._embedder is None:
            raise RuntimeAbsent
        return await self._embedder.embed(inputs)

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` has."""
        if self._server is None:
            await self.warm_up()
        body = json.dumps({"content": text}).encode()
        return len((await asyncio.to_thread(_got, self._inner("/tokenize", body)))["tokens"])

    def _inner(self, path: str, body: bytes | None = None) -> urllib.request.Request:
        """Return a request to the port that llama.cpp opens on loopback."""
        return urllib.request.Request(
            f"{self._server.listening_address}{path}",
            data=body,
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self._inner_key}",
            },
        )

    def interrupt(self) -> None:
        """End every answer with an error: the server stops."""
        for call in self._in_flight:
            call.stop.set()
            call.chunks.put_nowait({"error": {"type": asking.STOPPING}})

    async def close(self) -> None:
        """Stop what is being answered and free the model."""
        self.interrupt()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._server = None
        if self._embedder is not None:
            self._embedder.close()


def _got(request: urllib.request.Request) -> Any:
    # No proxy: the address is this process.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as response:
        return json.load(response)
