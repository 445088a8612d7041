"""Where an answer is posted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import discord
from discord.ext import commands

# Discord's codes: no reply without the history of the channel; a command that was not
# acknowledged within 3 s, or is older than 15 min.
NO_REPLY = 160002
TOO_LATE = frozenset({10015, 10062, 50027})


def is_too_late(error: BaseException) -> bool:
    """Whether Discord no longer waits for the answer to a command, a button or a form."""
    return isinstance(error, discord.HTTPException) and error.code in TOO_LATE


class Outlet(Protocol):
    """Where the messages of one answer are posted. None of them mentions anybody."""

    @property
    def channel(self) -> Any:
        """The channel that the answer stands in."""
        ...

    @property
    def guild(self) -> discord.Guild | None: ...

    @property
    def id(self) -> int:
        """Discord's id of what is answered."""
        ...

    @property
    def asker(self) -> discord.User | discord.Member: ...

    @property
    def outlasts(self) -> bool:
        """Whether another process can post there, too: after a restart, say."""
        ...

    async def post(self, number: int, text: str, **more: Any) -> discord.Message:
        """Post the message `number` of the answer, counted from 0. more: view, file."""
        ...


class MessageOutlet:
    """Answers a message: the first part as a reply to it, the others behind it."""

    outlasts = True

    def __init__(self, question: discord.Message) -> None:
        self._question = question
        self.channel = question.channel
        self.guild = question.guild
        self.asker = question.author
        self.id = question.id

    async def post(self, number: int, text: str, **more: Any) -> discord.Message:
        # With a nonce Discord posts a message once, even if its answer to the
        # first attempt was lost.
        nonce = f"{self.id}-{number}"
        if number == 0:
            # The question may be gone by now; its answer still belongs here.
            more["reference"] = self._question.to_reference(fail_if_not_exists=False)
            more["mention_author"] = False
        try:
            message: discord.Message = await self.channel.send(text, nonce=nonce, **more)
        except discord.HTTPException as refusal:
            if refusal.code != NO_REPLY:
                raise
            for name in ("reference", "mention_author"):
                more.pop(name, None)
            rewind(more)
            message = await self.channel.send(text, nonce=nonce, **more)
        return message


class CommandOutlet:
    """Answers a slash command."""

    outlasts = False

    def __init__(self, context: commands.Context[Any]) -> None:
        assert context.interaction is not None
        self._context = context
        self.channel = context.channel
        self.guild = context.guild
        self.asker = context.author
        self.id = context.interaction.id

    async def post(self, number: int, text: str, **more: Any) -> discord.Message:
        return await self._context.send(text, nonce=f"{self.id}-{number}", **more)


def rewind(options: Mapping[str, Any]) -> None:
    """Let files that one request has read be read by the next."""
    for file in (*options.get("files", ()), *filter(None, [options.get("file")])):
        file.reset(seek=True)


def outlet(of: discord.Message | commands.Context[Any] | Outlet) -> Outlet:
    if isinstance(of, discord.Message):
        return MessageOutlet(of)
    if isinstance(of, commands.Context):
        return MessageOutlet(of.message) if of.interaction is None else CommandOutlet(of)
    return of
