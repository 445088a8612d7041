"""The process that trains, as its reports."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator

import msgspec

from trainerbot.modelserver.children import environment_of_child
from trainerbot.modelserver.jobs.failures import JobFailed
from trainerbot.modelserver.trainers.methods import METHODS
from trainerbot.modelserver.trainers.task import WORKER_DIED, Report, Task


class Killed(Exception):
    """Something outside ended the trainer: a person, or a system without memory."""


async def run_trainer(task: Task) -> AsyncGenerator[Report, None]:
    """Yield what the trainer's process reports; kill it when nobody listens any more.

    Raises Killed when a signal ended it, and JobFailed when it failed by itself.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "trainerbot.modelserver.trainers",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment_of_child(**_threads(task)),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        # It stays open: that it closes tells the trainer, and whatever that
        # started, that this server is gone or wants no more.
        process.stdin.write(msgspec.json.encode(task) + b"\n")
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        decode = msgspec.json.Decoder(Report).decode
        async for line in process.stdout:
            yield decode(line)
        returncode = await process.wait()
        if returncode < 0 or returncode == WORKER_DIED:
            raise Killed
        if returncode:
            raise JobFailed(
                "The job failed due to an internal error. Please try again later.",
                code="server_error",
            )
    finally:
        process.stdin.close()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


def _threads(task: Task) -> dict[str, str]:
    """Return the environment that decides how many threads compute."""
    if not METHODS[task.method].changes_weights:
        # Pools of threads that sparse matrices never use cost time and memory.
        return {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    if "OMP_NUM_THREADS" in os.environ:
        return {}
    # One core stays free for answers; several processes share the others.
    n_cores = max(1, (os.cpu_count() or 2) - 1)
    return {"OMP_NUM_THREADS": str(max(1, n_cores // max(1, task.n_processes)))}
