"""The server's end of a running model's process."""

import asyncio
import contextlib

import msgspec

from trainerbot.modelserver.runtimes.transformers_runtime.lines import FromModel, Ready, ToModel


class Process:
    """A running one, and who waits for which of its answers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.waiting: dict[int, asyncio.Queue[FromModel | None]] = {}
        self.reading: asyncio.Task[None] | None = None

    def tell(self, line: ToModel) -> None:
        """Write a line; a dead process reads none, and its reader says so to all who wait."""
        assert self.process.stdin is not None
        with contextlib.suppress(ConnectionError, RuntimeError):
            self.process.stdin.write(msgspec.json.encode(line) + b"\n")

    async def read(self) -> None:
        """Hand every line to who waits for it, until the process ends."""
        assert self.process.stdout is not None
        decode = msgspec.json.Decoder(FromModel).decode
        try:
            async for line in self.process.stdout:
                told = decode(line)
                if not isinstance(told, Ready) and told.number in self.waiting:
                    self.waiting[told.number].put_nowait(told)
        finally:
            for queue in self.waiting.values():
                queue.put_nowait(None)

    @property
    def is_alive(self) -> bool:
        """Whether it still answers."""
        return self.process.returncode is None and not (self.reading and self.reading.done())

    async def end(self) -> None:
        """Kill it, and wait until it is gone."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        await self.process.wait()
        if self.reading is not None:
            await asyncio.wait([self.reading])
