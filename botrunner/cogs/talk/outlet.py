"""Where the words of a call are written: the question as a quotation, the answer in reply to it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

import aiohttp
import discord

from botrunner.replies.sending import NO_REPLY
from botrunner.ui.quoting import in_a_line, quoted

log = logging.getLogger(__name__)

REFUSALS: Final = (discord.HTTPException, aiohttp.ClientError, OSError)
MOST_NAME, MOST_WORDS = 60, 1_700


def as_quotation(name: str, words: str) -> str:
    """Return what somebody said in a call as a message shows it."""
    said = quoted(" ".join(words.split()), MOST_WORDS)
    return f"🎙️ **{in_a_line(name, MOST_NAME)}**\n> {said}"


class CallOutlet:
    """Posts an answer in reply to the message that quotes its question, once that stands.

    quoted: gives that message, None if Discord refused it. id: never used before.
    """

    outlasts = False  # what was said in a call is answered there and then, or not at all

    def __init__(
        self,
        channel: Any,
        guild: discord.Guild | None,
        *,
        asker: discord.Member,
        quoted: asyncio.Task[discord.Message | None],
        id: int,
    ) -> None:
        self.channel = channel
        self.guild = guild
        self.asker = asker
        self.id = id
        self._quoted = quoted

    async def post(self, number: int, text: str, **more: Any) -> discord.Message:
        asked = await asyncio.shield(self._quoted)
        nonce = f"{self.id}-{number}"
        if number == 0 and asked is not None:
            reference = asked.to_reference(fail_if_not_exists=False)
            try:
                message: discord.Message = await self.channel.send(
                    text, nonce=nonce, reference=reference, mention_author=False, **more
                )
            except discord.HTTPException as refusal:
                if refusal.code != NO_REPLY:
                    raise
                if file := more.get("file"):
                    file.reset(seek=True)
            else:
                return message
        alone: discord.Message = await self.channel.send(text, nonce=nonce, **more)
        return alone
