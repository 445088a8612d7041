"""How often a message is edited while there is more and more to say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
import discord

log = logging.getLogger(__name__)

EDIT_INTERVAL_S: Final = 1.2
# What has come to its end within this time is posted once instead of posted and edited.
FIRST_POST_AFTER_S: Final = 0.05
OUT_OF_REACH: Final = (discord.HTTPException, aiohttp.ClientError, OSError)


class Along:
    """Calls `write` a moment after news, and then at most once in `interval_s`.

    `write` shows what is the latest when it is called, under the lock
    `writing`; news meanwhile lead to one more call. What Discord refuses is
    left to the next call. Between two calls nothing waits but a timer.
    """

    def __init__(self, write: Callable[[], Awaitable[None]], *, interval_s: float) -> None:
        self._write = write
        self._interval_s = interval_s
        self.writing = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._writer: asyncio.Task[None] | None = None
        self._is_news = self._has_ended = False
        self._due_at = 0.0

    def news(self) -> None:
        """Say that there is something to be shown. Never blocks."""
        self._is_news = True
        if self._timer is None and self._writer is None and not self._has_ended:
            loop = asyncio.get_running_loop()
            after_s = max(FIRST_POST_AFTER_S, self._due_at - loop.time())
            self._timer = loop.call_later(after_s, self._start)

    def wait_an_interval(self) -> None:
        """Let the next call wait, because something was written just now."""
        self._due_at = asyncio.get_running_loop().time() + self._interval_s

    async def until_due(self) -> None:
        """Return once something may be written again."""
        await asyncio.sleep(self._due_at - asyncio.get_running_loop().time())

    @asynccontextmanager
    async def ended(self) -> AsyncIterator[None]:
        """Let the block have the last word: from now on nothing is written along."""
        self._has_ended = True
        if self._timer is not None:
            self._timer.cancel()
        async with self.writing:  # a request on its way is never cut off
            if self._writer is not None:
                self._writer.cancel()
            yield

    def _start(self) -> None:
        self._timer = None
        self._writer = asyncio.get_running_loop().create_task(self._write_once())

    async def _write_once(self) -> None:
        self._is_news = False
        try:
            await self._write()
        except OUT_OF_REACH as error:
            log.info("It could not be shown how far something is; its end will be: %s", error)
        self.wait_an_interval()
        self._writer = None
        if self._is_news:
            self.news()
