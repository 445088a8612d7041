"""What was heard of an answer, told while it is said: a process that is killed tells nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from botrunner.voice.playback import Heard, Speech

NOTED_EVERY_S: Final = 2.0


async def heard_out(
    speech: Speech, note: Callable[[Heard], Awaitable[None]], *, every_s: float = NOTED_EVERY_S
) -> Heard:
    """Wait until a speech is over, and return how much of it was heard.

    Until then `note` is told so, each time that more words were.
    """
    noted = ""
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(every_s):
                return await speech.over()
        heard = speech.heard()
        if heard.text != noted:
            noted = heard.text
            await note(heard)
