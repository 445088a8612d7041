"""What answers a question, for whoever brings it one."""

from __future__ import annotations

from typing import Protocol

import discord

from botrunner.faults import Reason
from botrunner.replies import LiveReply
from dashboard.models import Message
from dashboard.services.chat import Ready
from trainerbot.conversation import Finished


class Answering(Protocol):
    """The chat, as those know it who take up what was left; see `Chat` for each."""

    async def hear(self, message: discord.Message) -> None: ...

    def live(
        self, where: discord.Message, question: Message, begun: discord.Message | None = None
    ) -> LiveReply: ...

    async def deliver(
        self, ready: Ready, live: LiveReply, notes: list[str], *, heading: str = ""
    ) -> Finished | None: ...

    async def break_off(
        self, ready: Ready, live: LiveReply, said: str, reason: Reason, heading: str = ""
    ) -> None: ...

    async def end(self, live: LiveReply, text: str) -> list[discord.Message]: ...
