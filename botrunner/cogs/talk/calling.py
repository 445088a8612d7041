"""What a desk knows of the call that it works for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot


class Call(Protocol):
    """The call that a desk works for; what it says may change while it goes on. Ids are Discord's."""

    @property
    def bot(self) -> TrainerBot: ...
    @property
    def call_id(self) -> int:
        """Of its row."""
        ...

    @property
    def guild_id(self) -> int: ...
    @property
    def channel_id(self) -> int: ...
    @property
    def text_channel_id(self) -> int | None:
        """Where its words are written; None for the chat of its own channel."""
        ...

    def people(self) -> Sequence[int]:
        """Who is there, without bots."""
        ...
