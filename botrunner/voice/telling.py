"""Sentences about a call, told so seldom that nobody is bored."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

from trainerbot.errors import TrainerBotError

SAID_AGAIN_AFTER_S: Final = 60.0


class Telling:
    """Tells a sentence, unless the same was told a moment ago."""

    def __init__(self, tell: Callable[[TrainerBotError | str], Awaitable[None]]) -> None:
        self._tell = tell
        self._told_at: dict[tuple[int, str], float] = {}

    async def once(
        self,
        error: TrainerBotError | str,
        *,
        of: int = 0,
        again_after_s: float = SAID_AGAIN_AFTER_S,
    ) -> None:
        """Tell it. of: the person that it is about (Discord's id), if it is about one."""
        now, key = time.monotonic(), (of, str(error))
        if key not in self._told_at or now - self._told_at[key] >= again_after_s:
            self._told_at[key] = now
            await self._tell(error)
