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
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from trainerbot.errors import ProviderUnavailable
from trainerbot.messages import ChatMessage
from trainerbot.modelserver.runtimes import asking
from trainerbot.modelserver.runtimes.base import (
    Adapter,
    Answer,
    Embeddings,
    Options,
    Overloaded,
    RuntimeAbsent,
)
from trainerbot.modelserver.runtimes.embedding import Embedder
from trainerbot.modelserver.runtimes.loaded import Loaded
from trainerbot.modelserver.runtimes.memory import Memory, TooLarge, Uses, default_limit_mib
from trainerbot.modelserver.runtimes.weights import Weights

log = logging.getLogger(__name__)

# Context and buffers beside the weights, until a load has shown how much.
_BESIDE_BYTES = 160 * 1024 * 1024
_MAX_ADAPTERS = 16


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
    """A ChatRuntime over one GGUF file, loaded at the first need.

    Adapters lie beside the model, and each request says which of them works.
    llama.cpp takes them at its start only: the first question to a tuned
    model starts it anew with the weights that are in memory already, while
    running answers end in the old one (docs/decisions/0019-adapters.md).
    """

    name = "llama.cpp"

    def __init__(
        self,
        weights: Weights | None,
        memory: Memory | None = None,
        *,
        context_tokens: int = 2048,
        n_parallel: int = 2,
        n_threads: int | None = None,
        max_waiting: int = 32,
    ) -> None:
        # find_spec, so that a server that never chats never pays for the import.
        installed = importlib.util.find_spec("xllamacpp") is not None
        self._weights = weights if installed else None
        self._context_tokens = context_tokens
        self._n_parallel = n_parallel
        self._n_threads = n_threads or spare_threads()
        self._max_in_flight = n_parallel + max_waiting
        self._in_flight: set[_Call] = set()
        self._threads = ThreadPoolExecutor(n_parallel, thread_name_prefix="llamacpp")
        self._asking = Uses()
        self._loading = asyncio.Lock()
        self._memory = memory or Memory(default_limit_mib())
        self._loaded: Loaded | None = None
        # Those that answered last come last.
        self._adapters: dict[str, Adapter] = {}
        # Guards the port that llama.cpp opens on loopback beside its calls.
        self._inner_key = secrets.token_urlsafe(32)
        self._failure: ProviderUnavailable | None = None
        self._tools_known: bool | None = None
        self._embedder = None
        if self._weights is not None:
            self._embedder = Embedder(
                self._weights.path,
                self._memory,
                context_tokens=context_tokens,
                n_threads=self._n_threads,
            )

    @property
    def state(self) -> str:
        """One word for /healthz."""
        if self._weights is None:
            return "absent"
        if self._failure is not None:
            return "failed"
        if self._loaded is not None:
            return "ready"
        return "loading" if self._loading.locked() else "not loaded"

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for an answer."""
        return self._asking.none

    async def warm_up(self) -> None:
        """Load the model now rather than at the first answer."""
        with self._asking.one():
            await self._ready(None)

    async def unload(self) -> None:
        """Give the model's memory back; the next question loads it again."""
        self._adapters.clear()
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            await asyncio.to_thread(loaded.free)

    async def forget(self, adapter_id: str) -> None:
        """Do not load this adapter again."""
        self._adapters.pop(adapter_id, None)

    async def _ready(self, adapter: Adapter | None) -> Loaded:
        """Return llama.cpp with the model, and the adapter beside it; to be used at once."""
        if self._weights is None:
            raise RuntimeAbsent
        while True:
            # Shielded: one client that goes away must not stop the others' loading.
            loaded = await asyncio.shield(asyncio.ensure_future(self._loaded_with(adapter)))
            if loaded is self._loaded:
                self._memory.used(self)
                return loaded

    async def _loaded_with(self, adapter: Adapter | None) -> Loaded:
        async with self._loading:
            if adapter is not None:
                self._adapters.pop(adapter.id, None)
                if (
                    "adapter.gguf" not in adapter.files
                    or not adapter.files["adapter.gguf"].exists()
                ):
                    raise ProviderUnavailable(
                        "This tuned model has no adapter that llama.cpp could load beside its base."
                    )
                self._adapters[adapter.id] = adapter
            while self._loaded is None or (
                adapter is not None and adapter.id not in self._loaded.adapters
            ):
                if self._failure is not None:
                    raise self._failure
                while len(self._adapters) > _MAX_ADAPTERS:
                    self._adapters.pop(next(iter(self._adapters)))
                try:
                    await self._load_into_memory()
                except TooLarge:
                    if len(self._adapters) < 2:
                        raise
                    self._adapters.pop(next(iter(self._adapters)))
            return self._loaded

    async def _load_into_memory(self) -> None:
        """Start llama.cpp with the model and the adapters used last."""
        assert self._weights is not None
        # A model that was deleted took its file along.
        self._adapters = {
            name: adapter
            for name, adapter in self._adapters.items()
            if adapter.files["adapter.gguf"].exists()
        }
        paths = [str(adapter.files["adapter.gguf"]) for adapter in self._adapters.values()]
        expected = self._weights.path.stat().st_size + _BESIDE_BYTES
        expected += sum(os.stat(path).st_size for path in paths)

        wanted, old = dict(self._adapters), self._loaded
        if old is not None:
            old.n_bytes = self._memory.size(self)

        async def load() -> None:
            if old is not None and old.uses.none:
                # Two at once would take the memory of the context twice.
                self._loaded = None
                await asyncio.to_thread(old.free)
            server = await asyncio.to_thread(self._load, paths)
            self._loaded = Loaded(server, tuple(wanted))

        try:
            await self._memory.load(self, load, key=(self, *wanted), expected_bytes=expected)
        except TooLarge:
            self._adapters = wanted
            raise
        except RuntimeError as error:
            if self._loaded is None:
                self._memory.gone(self)
            if paths:
                # The model itself may be sound: it is tried again without them.
                self._adapters.clear()
                raise ProviderUnavailable(
                    "The adapter of this tuned model could not be loaded beside its base model: "
                    "it was made for another one, or its file is damaged."
                ) from error
            self._failure = ProviderUnavailable(
                f"The base model {self._weights.model_id} could not be loaded: its file is "
                "damaged, of an unknown kind, or too large for this machine's memory."
            )
            raise self._failure from error
        log.info("Loaded %s with %d adapters", self._weights.model_id, len(paths))

    @contextlib.contextmanager
    def _using(self, loaded: Loaded) -> Iterator[Loaded]:
        """Keep `loaded` alive while the block runs; the last to leave an old one frees it."""
        try:
            with loaded.uses.one():
                yield loaded
        finally:
            if loaded is not self._loaded and loaded.uses.none and loaded.server is not None:
                self._memory.shrunk(self, loaded.n_bytes)
                asyncio.get_running_loop().run_in_executor(None, loaded.free)

    def _load(self, adapters: Sequence[str]) -> Any:
        import xllamacpp

        assert self._weights is not None
        params = xllamacpp.CommonParams()
        params.model.path = str(self._weights.path)
        # None of them works where a request does not say so.
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(path, 0.0) for path in adapters]
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
        # An answer is a new message, as OpenAI's is, after an assistant's too.
        params.prefill_assistant = False
        return xllamacpp.Server(params)

    async def stream(
        self, messages: Sequence[ChatMessage], options: Options, adapter: Adapter | None = None
    ) -> Answer:
        """Yield one Start, pieces, then one Finish. See ChatRuntime."""
        if len(self._in_flight) >= self._max_in_flight:
            raise Overloaded("The engine is currently overloaded, please try again later")
        call = _Call(asyncio.get_running_loop())
        self._in_flight.add(call)
        try:
            with self._asking.one(), self._using(await self._ready(adapter)) as loaded:
                assert self._weights is not None
                knows_tools = await self._knows_tools(loaded, messages, options)
                request = asking.request(
                    messages, options, self._weights.defaults, knows_tools=knows_tools
                )
                if loaded.adapters:
                    request["lora"] = loaded.scales(None if adapter is None else adapter.id)
                working = call.loop.run_in_executor(
                    self._threads, self._work, loaded.server, request, call
                )
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

    async def _knows_tools(
        self, loaded: Loaded, messages: Sequence[ChatMessage], options: Options
    ) -> bool:
        """Return whether the model's chat template has words for tools. False where none is due."""
        if not asking.may_call(options.tools, messages):
            return False
        if self._tools_known is None:
            props = await asyncio.to_thread(_got, self._inner(loaded, "/props"))
            self._tools_known = bool(props.get("chat_template_caps", {}).get("supports_tools"))
        return self._tools_known

    def _work(self, server: Any, request: dict[str, Any], call: "_Call") -> None:
        """Run one request to its end in this thread, or until `call.stop`."""

        def on_chunk(chunk: dict[str, Any]) -> bool:
            call.hand_over(chunk)
            return call.stop.is_set()  # True ends the call

        try:
            if not call.stop.is_set():
                server.handle_chat_completions(request, on_chunk)
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
        body = json.dumps({"content": text}).encode()
        with self._asking.one(), self._using(await self._ready(None)) as loaded:
            told = await asyncio.to_thread(_got, self._inner(loaded, "/tokenize", body))
        return len(told["tokens"])

    def _inner(
        self, loaded: Loaded, path: str, body: bytes | None = None
    ) -> urllib.request.Request:
        """Return a request to the port that llama.cpp opens on loopback."""
        return urllib.request.Request(
            f"{loaded.server.listening_address}{path}",
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
        self._loaded = None
        if self._embedder is not None:
            self._embedder.close()


def _got(request: urllib.request.Request) -> Any:
    # No proxy: the address is this process.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as response:
        return json.load(response)
