"""Processes that work for the server: a few, started when needed, ended when idle."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from trainerbot.errors import ProviderUnavailable
from trainerbot.modelserver.runtimes.base import Overloaded
from trainerbot.modelserver.speech.work import Fault, Heard, Reply, Request, Sound, error_of

log = logging.getLogger(__name__)

Result = TypeVar("Result")
_MOST_LINE_BYTES: Final = 16 * 1024 * 1024  # of one reply: ten minutes of words are 100 KB
_GRACE_S: Final = 2.0  # what nobody waits for any more may still end by itself


class Worker:
    """One process. It answers one request at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._decoder = msgspec.json.Decoder(Reply)
        self._head: Sound | None = None
        self.is_at_rest = True
        self.idle_since = 0.0

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        return self._process.pid

    async def begin(self, request: Request, data: bytes) -> None:
        """Give it something to do. Raises ConnectionError when it is dead."""
        assert self._process.stdin is not None
        self.is_at_rest = False
        self._process.stdin.write(msgspec.json.encode(request) + b"\n" + data)
        await self._process.stdin.drain()

    async def next(self) -> tuple[Reply, bytes]:
        """Return its next reply. Cancelled, nothing is lost: the next call returns it.

        Raises EOFError (or its kin) when it is dead.
        """
        assert self._process.stdout is not None
        if self._head is None:
            line = await self._process.stdout.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            reply = self._decoder.decode(line)
            if not isinstance(reply, Sound):
                self.is_at_rest = True
                return reply, b""
            self._head = reply
        data = await self._process.stdout.readexactly(self._head.n_bytes)
        head, self._head = self._head, None
        self.is_at_rest = head.is_last
        return head, data

    def kill(self) -> None:
        """End it now, whatever it does. Harmless when it is dead."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def end(self) -> None:
        """Kill it, and wait until it is gone."""
        self.kill()
        await self._process.wait()


class Pool:
    """At most `size` processes of one command, and a line of at most `n_waiting` before them."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environ: Mapping[str, str],
        size: int,
        timeout_s: float,
        idle_s: float,
        n_waiting: int = 32,
    ) -> None:
        self._name = name
        self._command = command
        self._environ = environ
        self._free = asyncio.Semaphore(size)
        self._timeout_s = timeout_s
        self._idle_s = idle_s
        self._most_asking = size + n_waiting
        self._n_asking = 0
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def pids(self) -> set[int]:
        """The processes that there are now."""
        return {worker.pid for worker in self._all if worker.is_alive}

    async def ask(self, request: Request, data: bytes = b"") -> AsyncGenerator[Heard | bytes, None]:
        """Yield what one of the processes makes of `request`: Heard, or a file piece by piece.

        Raises Overloaded when too many wait; what the process told as its fault;
        ProviderUnavailable when it dies, or is silent for longer than the
        time-out. Close it to stop listening: a process that is not done within
        two seconds of that is killed.
        """
        if self._n_asking >= self._most_asking:
            raise Overloaded("Too many wait for speech already. Try again in a while.")
        self._n_asking += 1
        try:
            await self._free.acquire()
        finally:
            self._n_asking -= 1
        try:
            worker = await self._worker()
        except BaseException:
            self._free.release()
            raise
        try:
            await self._in_time(worker, worker.begin(request, data))
            while True:
                reply, more = await self._in_time(worker, worker.next())
                if isinstance(reply, Fault):
                    raise error_of(reply)
                yield more if isinstance(reply, Sound) else reply
                if worker.is_at_rest:
                    return
        finally:
            self._let_go(worker)

    async def close(self) -> None:
        """End all processes."""
        if self._timer is not None:
            self._timer.cancel()
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*(worker.end() for worker in self._all))

    async def _in_time(self, worker: Worker, work: Coroutine[None, None, Result]) -> Result:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await work
        except TimeoutError as error:
            worker.kill()
            raise ProviderUnavailable(
                f"The speech provider {self._name} took longer than {self._timeout_s:g} s. Send "
                "less at once, or choose another."
            ) from error
        except (EOFError, ConnectionError, msgspec.MsgspecError) as error:
            worker.kill()
            log.warning("A process of the speech provider %s died", self._name)
            raise ProviderUnavailable(
                f"The speech provider {self._name} stopped in the middle. Try again."
            ) from error

    async def _worker(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            self._all.discard(worker)
        worker = Worker(
            await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=self._environ,
                limit=_MOST_LINE_BYTES,
            )
        )
        self._all.add(worker)
        return worker

    def _let_go(self, worker: Worker) -> None:
        """Keep the worker for the next who asks, once it is done with this one, or end it."""
        if worker.is_at_rest and worker.is_alive:
            self._keep(worker)
            self._free.release()
            return
        # Whoever asked may be cancelled just now, so this is nothing to wait for here.
        self._spawn(self._leave(worker))

    async def _leave(self, worker: Worker) -> None:
        try:
            await self._come_to_rest(worker)
            if worker.is_at_rest and worker.is_alive:
                self._keep(worker)
            else:
                await self._end(worker)
        finally:
            self._free.release()

    async def _come_to_rest(self, worker: Worker) -> None:
        """Let it end by itself what nobody waits for, or kill it."""
        try:
            async with asyncio.timeout(_GRACE_S):
                while not worker.is_at_rest:
                    await worker.next()
        except (TimeoutError, EOFError, ConnectionError, msgspec.MsgspecError):
            worker.kill()

    async def _end(self, worker: Worker) -> None:
        await worker.end()
        self._all.discard(worker)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _keep(self, worker: Worker) -> None:
        loop = asyncio.get_running_loop()
        worker.idle_since = loop.time()
        self._idle.append(worker)
        if self._timer is None:
            self._timer = loop.call_later(self._idle_s, self._end_idle)

    def _end_idle(self) -> None:
        loop = asyncio.get_running_loop()
        for worker in [*self._idle]:
            if loop.time() - worker.idle_since >= self._idle_s:
                self._idle.remove(worker)
                self._spawn(self._end(worker))
        self._timer = None
        if self._idle:
            oldest = min(worker.idle_since for worker in self._idle)
            self._timer = loop.call_at(oldest + self._idle_s, self._end_idle)
