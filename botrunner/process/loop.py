"""The event loop that a bot runs on."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

try:
    import uvloop
except ImportError:  # there is none for Windows
    uvloop = None  # type: ignore[assignment]  # as on Windows

Result = TypeVar("Result")


def run(life: Coroutine[Any, Any, Result]) -> Result:
    """Run `life` to its end, as `asyncio.run` does, on the quickest loop there is.

    uvloop takes about 1 ms of processor time off each message.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if uvloop else None) as runner:
        return runner.run(life)
