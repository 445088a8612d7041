"""What a call needs of whoever takes part in it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from trainerbot.speech import Pcm


class Participant(Protocol):
    """Takes part in a call: hears its frames on the capture's thread, the rest on the loop."""

    @property
    def speaking(self) -> Collection[int]:
        """Who speaks now, by Discord's ids."""
        ...

    def on_frame(self, discord_user_id: int, frame: Pcm) -> None: ...
    def on_left(self, discord_user_id: int) -> None: ...
    def on_lost(self) -> None: ...
    def on_refused(self, discord_user_id: int) -> None: ...
    def close(self) -> None: ...
    async def settle(self) -> None:
        """Wait until what was said is answered and written down."""
        ...
