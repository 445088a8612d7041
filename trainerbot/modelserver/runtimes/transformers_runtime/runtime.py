"""The server's side: starts the model's process when it is needed, and ends it when it is not."""

import asyncio
import contextlib
import importlib.util
import itertools
import logging
import struct
import sys
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from trainerbot.errors import InvalidInput, ProviderUnavailable
from trainerbot.messages import ChatMessage, Role
from trainerbot.modelserver.bases import BaseModel
from trainerbot.modelserver.children import environment_of_child
from trainerbot.modelserver.runtimes import asking, grammars
from trainerbot.modelserver.runtimes.base import (
    Adapter,
    Answer,
    ContextTooLong,
    Embeddings,
    Options,
    Overloaded,
    Start,
)
from trainerbot.modelserver.runtimes.memory import Memory, Uses
from trainerbot.modelserver.runtimes.tools import described
from trainerbot.modelserver.runtimes.transformers_runtime.lines import (
    Ask,
    Chunk,
    Count,
    Counted,
    Embed,
    Embedded,
    Ended,
    Fault,
    Forget,
    FromModel,
    LoraFiles,
    Ready,
    Setup,
    Stop,
)
from trainerbot.modelserver.runtimes.transformers_runtime.process import Process

log = logging.getLogger(__name__)

_PACKAGES = ("torch", "transformers", "peft")
# PyTorch itself, until a load has shown how much.
_LIBRARIES_BYTES = 600 * 1024 * 1024
_MAX_LINE_BYTES = 64 * 1024 * 1024


class NotInstalled(ProviderUnavailable):
    """The packages that this base model needs are not there."""

    retryable = False

    def __init__(self, model_id: str) -> None:
        super().__init__(
            f"The base model {model_id} is no GGUF file and needs PyTorch to answer. Install it "
            "with: python3 run.py --with train"
        )


class Transformers:
    """A ChatRuntime over one safetensors folder or hub model, in a process of its own."""

    name = "transformers"

    def __init__(
        self,
        base: BaseModel,
        memory: Memory,
        *,
        cache: Path,
        n_threads: int,
        idle_s: float = 900,
        max_waiting: int = 32,
    ) -> None:
        self._base = base
        self._memory = memory
        self._cache = cache
        self._n_threads = n_threads
        self._idle_s = idle_s
        self._max_in_flight = max_waiting + 1
        self._asking = Uses()
        self._n_in_flight = 0
        self._numbers = itertools.count()
        self._loading = asyncio.Lock()
        self._process: Process | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    @property
    def state(self) -> str:
        """One word for /healthz."""
        if not all(importlib.util.find_spec(name) for name in _PACKAGES):
            return "absent"
        if self._process is not None and self._process.is_alive:
            return "ready"
        return "loading" if self._loading.locked() else "not loaded"

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for an answer."""
        return self._asking.none

    async def warm_up(self) -> None:
        """Start the process now rather than at the first answer."""
        with self._asking.one():
            await self._ready()

    async def unload(self) -> None:
        """End the process; the next question starts it again."""
        process, self._process = self._process, None
        if process is not None:
            await process.end()

    async def forget(self, adapter_id: str) -> None:
        """Let the process drop the adapter."""
        if self._process is not None:
            self._process.tell(Forget(adapter_id))

    async def stream(
        self, messages: Sequence[ChatMessage], options: Options, adapter: Adapter | None = None
    ) -> Answer:
        """Yield one Start, pieces, then one Finish. See ChatRuntime."""
        grammar = grammars.written(options.choice, options.shape, options.tools)
        with self._place(), self._asking.one():
            process = await self._ready()
            asked = self._ask(messages, options, adapter, grammar)
            chunks = self._chunks(process, asked)
            events = asking.events(chunks, options, reads_calls=options.tools is not None)
            async with aclosing(chunks), aclosing(events):
                async for event in events:
                    yield (
                        replace(event, fingerprint=self.name) if isinstance(event, Start) else event
                    )

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        """Hold one of the places of those that wait. Raises Overloaded."""
        if self._n_in_flight >= self._max_in_flight:
            raise Overloaded("The engine is currently overloaded, please try again later")
        self._n_in_flight += 1
        try:
            yield
        finally:
            self._n_in_flight -= 1
            self._end_when_idle()

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` has."""
        with self._asking.one():
            process = await self._ready()
            async with aclosing(self._told(process, Count(next(self._numbers), text))) as lines:
                async for line in lines:
                    if isinstance(line, Counted):
                        return line.n_tokens
        raise self._gone()

    async def embed(self, inputs: Sequence[str] | Sequence[Sequence[int]]) -> Embeddings:
        """See ChatRuntime.embed. Cancelled, it stops after the input in hand."""
        vectors, n_tokens = list[tuple[float, ...]](), 0
        with self._place(), self._asking.one():
            process = await self._ready()
            texts = [one if isinstance(one, str) else list(one) for one in inputs]
            asked = Embed(next(self._numbers), texts)
            async with aclosing(self._told(process, asked)) as lines:
                async for line in lines:
                    if isinstance(line, Embedded):
                        vectors += [struct.unpack(f"<{len(v) // 4}f", v) for v in line.vectors]
                        n_tokens += line.n_tokens
        return Embeddings(tuple(vectors), n_tokens)

    def interrupt(self) -> None:
        """End every answer with an error: the server stops."""
        self._is_stopping = True
        if self._process is not None:
            for queue in self._process.waiting.values():
                queue.put_nowait(None)

    async def close(self) -> None:
        """Stop what is being answered and end the process."""
        self.interrupt()
        if self._timer is not None:
            self._timer.cancel()
        await self.unload()

    async def _ready(self) -> Process:
        if self.state == "absent":
            raise NotInstalled(self._base.id)
        while True:
            # Shielded: one client that goes away must not stop the others' loading.
            process = await asyncio.shield(asyncio.ensure_future(self._loaded()))
            if process is self._process and process.is_alive:
                self._memory.used(self)
                return process

    async def _loaded(self) -> Process:
        async with self._loading:
            if self._process is None or not self._process.is_alive:
                await self.unload()
                await self._memory.load(
                    self, self._start, key=self, expected_bytes=self._expected_bytes()
                )
            assert self._process is not None
            return self._process

    def _expected_bytes(self) -> int:
        path = self._base.path
        if path is None or not path.is_dir():
            return _LIBRARIES_BYTES
        sizes = sum(file.stat().st_size for file in path.glob("*.safetensors"))
        return _LIBRARIES_BYTES + 2 * sizes  # halves are read as whole numbers on a CPU

    async def _start(self) -> int:
        """Start the process and return its memory. Raises ProviderUnavailable in its words."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "trainerbot.modelserver.runtimes.transformers_runtime",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_MAX_LINE_BYTES,
            env=environment_of_child(
                OMP_NUM_THREADS=str(self._n_threads),
                TOKENIZERS_PARALLELISM="false",
                TQDM_DISABLE="1",
                **({} if self._base.kind == "hub" else {"HF_HUB_OFFLINE": "1"}),
            ),
        )
        running = Process(process)
        try:
            running.tell(Setup(self._base, str(self._cache), self._n_threads))
            assert process.stdout is not None
            line = await process.stdout.readline()
            told = msgspec.json.decode(line, type=FromModel) if line else None
        except BaseException:
            await running.end()
            raise
        if not isinstance(told, Ready):
            await running.end()
            raise ProviderUnavailable(
                told.message if isinstance(told, Fault) else self._gone().args[0]
            )
        running.reading = asyncio.create_task(running.read())
        self._process = running
        log.info("Loaded %s", self._base.id)
        return told.n_bytes

    def _end_when_idle(self) -> None:
        """End the process when nobody has asked for a while."""
        if self._timer is not None:
            self._timer.cancel()
        if not self._is_stopping:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._idle_s, self._end_idle)

    def _end_idle(self) -> None:
        if self.is_idle and self._process is not None:
            self._memory.gone(self)
            task = asyncio.create_task(self.unload())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            log.info("Unloaded %s, which nobody asked for a while", self._base.id)

    async def _chunks(self, process: Process, asked: Ask) -> AsyncGenerator[dict[str, Any], None]:
        async with aclosing(self._told(process, asked)) as lines:
            async for line in lines:
                if isinstance(line, Chunk):
                    yield line.chunk

    async def _told(
        self, process: Process, asked: Ask | Embed | Count
    ) -> AsyncGenerator[FromModel, None]:
        """Yield what the process tells about this question. Raises what failed, in words."""
        queue = process.waiting[asked.number] = asyncio.Queue()
        is_over = False
        try:
            process.tell(asked)
            while not is_over:
                line = await queue.get()
                if line is None:
                    raise self._gone()
                if isinstance(line, Fault):
                    is_over = True
                    raise _error(line)
                is_over = isinstance(line, Ended | Counted)
                yield line
        finally:
            del process.waiting[asked.number]
            if not is_over:
                process.tell(Stop(asked.number))

    def _gone(self) -> ProviderUnavailable:
        if self._is_stopping:
            return ProviderUnavailable("The model server is stopping. Try again in a moment.")
        return ProviderUnavailable(
            f"The process of the base model {self._base.id} ended unexpectedly: it may need more "
            "memory than this machine has. Try again."
        )

    def _ask(
        self,
        messages: Sequence[ChatMessage],
        options: Options,
        adapter: Adapter | None,
        grammar: str | None,
    ) -> Ask:
        files = None
        if adapter is not None:
            files = LoraFiles(
                adapter.id,
                str(adapter.files["adapter_config.json"]),
                str(adapter.files["adapter_model.safetensors"]),
            )
        return Ask(
            number=next(self._numbers),
            messages=[
                {
                    # Templates know the older word only.
                    "role": "system" if m.role is Role.DEVELOPER else str(m.role),
                    "content": m.content,
                }
                for m in described(messages, options.tools)
            ],
            adapter=files,
            temperature=options.temperature,
            top_p=options.top_p,
            max_tokens=options.max_tokens,
            seed=options.seed,
            frequency_penalty=options.frequency_penalty,
            presence_penalty=options.presence_penalty,
            stop=list(options.stop),
            logit_bias=list(options.logit_bias),
            grammar=grammar,
            top_logprobs=options.top_logprobs,
        )


def _error(fault: Fault) -> Exception:
    match fault.kind:
        case "too_long":
            return ContextTooLong(fault.message)
        case "invalid":
            return InvalidInput(fault.message)
    return ProviderUnavailable(fault.message)
