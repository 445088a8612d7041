"""`manage.py` in processes of their own, with a data folder and a database of their own."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from tests.botrunner.forking import Forked, Forks

ROOT = Path(__file__).resolve().parents[2]
# Nothing of the machine's own settings may reach the processes of a test.
KEPT = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR", "SYSTEMROOT")


def environ(data: Path, **settings: str) -> dict[str, str]:
    """The environment of a process that keeps everything in `data`."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {"TRAINERBOT_DATA": str(data), "PYTHONUNBUFFERED": "1"} | settings


class Installation:
    """A data folder, and the settings that every process of it starts with.

    forks: what starts them sooner than Python could; not `up`, which starts others itself.
    """

    def __init__(self, data: Path, settings: Mapping[str, str], forks: Forks | None = None) -> None:
        self.data = data
        self.forks = forks
        self.environ = environ(data, **settings)

    async def start(self, *arguments: str, **settings: str) -> "Running":
        if self.forks is not None and arguments[0] != "up":
            return Running(
                await self.forks.start(
                    [str(ROOT / "manage.py"), *arguments],
                    cwd=self.data,
                    environ=self.environ | settings,
                )
            )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "manage.py"),
            *arguments,
            cwd=self.data,
            env=self.environ | settings,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return Running(process)

    def end_turn_to_identify(self) -> None:
        """As if the bot before had identified five seconds ago.

        tests/botrunner/test_connection.py shows that a bot waits for its turn.
        """
        with closing(sqlite3.connect(self.data / "trainerbot.sqlite3", timeout=10)) as rows, rows:
            rows.execute("UPDATE dashboard_identifyslot SET free_at = counted_from")

    async def manage(self, *arguments: str, **settings: str) -> str:
        """Run one command to its end and return what it said. Fails unless it succeeds."""
        running = await self.start(*arguments, **settings)
        code = await running.end()
        assert code == 0, running.output
        return running.output


class Running:
    """A process of a test, with all that it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process | Forked) -> None:
        self.process = process
        self.output = ""
        self._said = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.output += line.decode()
            self._said.set()
            self._said = asyncio.Event()

    async def until_it_says(self, words: str, *, timeout_s: float = 60.0) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while words not in self.output:
                    await self._said.wait()
        except TimeoutError:
            raise AssertionError(f"It never said {words!r}:\n{self.output}") from None

    async def end(self, *, timeout_s: float = 120.0) -> int:
        """Wait for the end and return the exit code."""
        async with asyncio.timeout(timeout_s):
            await self._reading
            return await self.process.wait()

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end and return the exit code."""
        self.process.send_signal(number)
        return await self.end()

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.end()
