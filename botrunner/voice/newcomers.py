"""Who in a call knows that the bot listens: each person is told once, and nobody for ever anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Final

# The whole of it, to all who are there; who comes in between gets a line.
ANNOUNCE_EVERY_S: Final = 600.0
LINE_EVERY_S: Final = 30.0
TOGETHER_S: Final = 2.0  # people come in groups, and one line does for all of them


class Newcomers:
    """Tells those who enter a call, each once while it lasts.

    announce: says all of it to everybody there. remind: says it in a line to
    these people (Discord's ids). people: who is there.
    """

    def __init__(
        self,
        *,
        announce: Callable[[], Awaitable[None]],
        remind: Callable[[Collection[int]], Awaitable[None]],
        people: Callable[[], Collection[int]],
        together_s: float = TOGETHER_S,
        line_every_s: float = LINE_EVERY_S,
    ) -> None:
        self._announce = announce
        self._remind = remind
        self._people = people
        self._together_s = together_s
        self._line_every_s = line_every_s
        self._told: set[int] = set()
        self._announced_at = self._reminded_at = -1e9  # of the loop's clock
        self._reminding: asyncio.Task[None] | None = None

    def note_announced(self) -> None:
        """Everybody who is there now was told just now."""
        self._announced_at = asyncio.get_running_loop().time()
        self._told.update(self._people())

    async def entered(self, discord_user_id: int) -> None:
        """See to it that somebody who has come in is told."""
        now = asyncio.get_running_loop().time()
        if discord_user_id in self._told:
            return
        if now - self._announced_at >= ANNOUNCE_EVERY_S:
            self._told.add(discord_user_id)
            await self._announce()
        elif self._reminding is None:
            due_s = max(self._together_s, self._reminded_at + self._line_every_s - now)
            self._reminding = asyncio.create_task(self._tell_later(due_s))

    def close(self) -> None:
        if self._reminding is not None:
            self._reminding.cancel()

    async def _tell_later(self, due_s: float) -> None:
        try:
            await asyncio.sleep(due_s)
            untold = [who for who in self._people() if who not in self._told]
            self._told.update(untold)
            self._reminded_at = asyncio.get_running_loop().time()
            if untold:
                await self._remind(untold)
        finally:
            self._reminding = None
