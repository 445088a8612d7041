"""The process that trains, as its reports."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

import trainerbot
from trainerbot.modelserver.trainers.task import Report, Task


async def run_trainer(task: Task) -> AsyncGenerator[Report, None]:
    """Yield what the trainer's process reports; kill it when nobody listens any more."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "trainerbot.modelserver.trainers",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(trainerbot.__path__[0]).parent),
            # Pools of threads that sparse matrices never use cost time and memory.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        },
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(msgspec.json.encode(task))
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()
        process.stdin.close()
        decode = msgspec.json.Decoder(Report).decode
        async for line in process.stdout:
            yield decode(line)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
