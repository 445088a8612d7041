"""The bot as Discord sees it: what it hears, which cogs it has, what it is busy with."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Any

import discord
from discord.ext import commands

from botrunner.gateway import bear_malformed_events

log = logging.getLogger(__name__)

PREFIX = "!"
EXTENSIONS = (
    "botrunner.cogs.errors",
    "botrunner.cogs.general",
    "botrunner.cogs.chat",
    "botrunner.cogs.library",
    "botrunner.cogs.models",
    "botrunner.cogs.training",
)


def intents(*, message_content: bool) -> discord.Intents:
    """What Discord shall tell us of. Only the words of messages need Discord's permission."""
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        dm_messages=True,
        voice_states=True,
        message_content=message_content,
    )


class InFlight:
    """The answers that are being made, so that a stop can wait for them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Count the current task in while the block runs."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    async def finish(self, *, within_s: float) -> None:
        """Wait for all of them; cut short, with their word to the asker, those that take longer."""
        if self._tasks:
            log.info("Finishing the answers in flight: %d", len(self._tasks))
            await asyncio.wait(set(self._tasks), timeout=within_s)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))


class TrainerBot(commands.Bot):
    """Hears mentions, replies, direct messages and commands; its cogs answer them.

    Without `message_content` Discord withholds the words of whatever is not
    said to the bot, and it works all the same.
    """

    def __init__(self, *, message_content: bool = True) -> None:
        super().__init__(
            command_prefix=PREFIX,
            intents=intents(message_content=message_content),
            allowed_mentions=discord.AllowedMentions.none(),
            help_command=None,
            max_messages=None,  # other people's words are not ours to keep
        )
        bear_malformed_events(self)
        self.in_flight = InFlight()
        self.is_stopping = False

    async def setup_hook(self) -> None:
        for extension in EXTENSIONS:
            await self.load_extension(extension)

    async def connect(self, *, reconnect: bool = True) -> None:
        while True:
            try:
                return await super().connect(reconnect=reconnect)
            except AttributeError:
                # When the very first handshake fails, discord.py 2.7 asks for
                # the session of a websocket that never was.
                if self.ws:
                    raise
                log.warning("The first handshake with Discord failed; trying again.")
                await asyncio.sleep(1.0)

    async def close(self) -> None:
        # Until the bot is ready, discord.py waits for guilds in a task that
        # would outlive the client.
        if waiting := self._connection._ready_task:
            waiting.cancel()
            await asyncio.wait([waiting])
        await super().close()

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        error = sys.exception()
        log.error("An event went wrong: %s", event_method, exc_info=error)
