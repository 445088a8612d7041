"""The bot as Discord sees it: what it hears, which cogs it has, what it is busy with."""

import asyncio
import contextlib
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import discord
from channels.db import database_sync_to_async
from discord.ext import commands
from discord.gateway import KeepAliveHandler
from django.db import DatabaseError

from botrunner.gateway import (
    bear_malformed_events,
    close_unfinished,
    connection_pause_s,
    leave_bots_aside,
    pace_connections,
    read_json_quickly,
)
from botrunner.rest import Patience
from botrunner.speaking import Context
from dashboard.services import bot as bots

log = logging.getLogger(__name__)

PREFIX = "!"
EXTENSIONS = (
    "botrunner.cogs.errors",
    "botrunner.cogs.general",
    "botrunner.cogs.chat",
    "botrunner.cogs.corrections",
    "botrunner.cogs.review",
    "botrunner.cogs.verdicts",
    "botrunner.cogs.myself",
    "botrunner.cogs.linking",
    "botrunner.cogs.library",
    "botrunner.cogs.models",
    "botrunner.cogs.training",
    "botrunner.cogs.requests",
    "botrunner.cogs.voice",
    "botrunner.cogs.errands",
    "botrunner.cogs.polls",
    "botrunner.cogs.places",
)
IDENTIFY_PACE_S = 5.0
FORMS_A_MINUTE = 10  # of one person: more than anybody writes, and than a trainer decides on

try_identify = database_sync_to_async(bots.try_identify)


def intents(*, message_content: bool) -> discord.Intents:
    """What Discord shall tell us of. Only the words of messages need Discord's permission."""
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        dm_messages=True,
        guild_reactions=True,
        dm_reactions=True,
        voice_states=True,
        message_content=message_content,
    )


class InFlight:
    """The answers that are being made, so that a stop can wait for them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self.n_answered = 0

    @contextlib.contextmanager
    def answering(self, *, counts: bool = True) -> Iterator[None]:
        """Let a stop wait for the current task while the block runs.

        counts: whether somebody is answered by it, as the dashboard counts.
        """
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)
            self.n_answered += counts

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

    def __init__(
        self,
        *,
        message_content: bool = True,
        patience: Patience | None = None,
        **of_discord: Any,
    ) -> None:
        self.patience = patience or Patience()
        super().__init__(
            command_prefix=PREFIX,
            intents=intents(message_content=message_content),
            allowed_mentions=discord.AllowedMentions.none(),
            help_command=None,
            max_messages=None,  # other people's words are not ours to keep
            http_trace=self.patience.trace,
            **of_discord,
        )
        read_json_quickly()
        leave_bots_aside(self)
        bear_malformed_events(self)
        self.patience.guard(self)
        close_unfinished(self)
        pace_connections(self, n_shards=len(of_discord.get("shard_ids", [0])))
        self.max_concurrency = 1
        self.voice_problem = ""  # why voice is off, for people
        self.in_flight = InFlight()
        # Ids of our messages that a command of this process edits; nobody else does meanwhile.
        self.in_hand: set[int] = set()
        self.is_stopping = False
        self.forms_sent: commands.CooldownMapping[discord.Interaction] = (
            commands.CooldownMapping.from_cooldown(
                FORMS_A_MINUTE, 60.0, lambda interaction: interaction.user.id
            )
        )

    async def setup_hook(self) -> None:
        for extension in EXTENSIONS:
            await self.load_extension(extension)

    async def on_message(self, message: discord.Message, /) -> None:
        # Most messages are no commands; discord.py would make a context for each.
        # It leaves other bots alone, and those webhooks that Discord calls bots.
        if message.content.startswith(PREFIX) and message.webhook_id is None:
            await self.process_commands(message)

    async def get_context(self, origin: Any, /, *, cls: Any = Context) -> Any:
        return await super().get_context(origin, cls=cls)

    def serves(self, guild_id: int | None) -> bool:
        """Whether this process, and no other, hears of a guild; None for direct messages."""
        return True

    def shard_latencies(self) -> list[tuple[int, float]]:
        """Seconds to Discord and back, by shard; none for a bot on one connection."""
        return []

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        bucket = (shard_id or 0) % self.max_concurrency
        try:
            while (wait_s := await try_identify(bucket)) > 0:  # noqa: ASYNC110 (rows wake nobody up)
                await asyncio.sleep(min(wait_s, IDENTIFY_PACE_S))
        except DatabaseError as error:
            log.warning("The turn to identify could not be taken: %s", error)
            await asyncio.sleep(IDENTIFY_PACE_S)

    async def connect(self, *, reconnect: bool = True) -> None:
        n_failed = 0
        while True:
            try:
                return await super().connect(reconnect=reconnect)
            except AttributeError:
                # When the very first handshake fails, discord.py 2.7 asks for
                # the session of a websocket that never was.
                if self.ws:
                    raise
                log.warning("The first handshake with Discord failed; trying again.")
                n_failed += 1
                await asyncio.sleep(max(1.0, connection_pause_s(n_failed)))

    async def close(self) -> None:
        # Until the bot is ready, discord.py waits for guilds in a task that
        # would outlive the client.
        if waiting := self._connection._ready_task:
            waiting.cancel()
            await asyncio.wait([waiting])
        await super().close()
        self._stop_heartbeats()

    def _stop_heartbeats(self) -> None:
        """End the threads of connections that were being made: discord.py forgets those."""
        for thread in threading.enumerate():
            if isinstance(thread, KeepAliveHandler) and thread.ws.loop is self.loop:
                thread.stop()

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        error = sys.exception()
        log.error("An event went wrong: %s", event_method, exc_info=error)


class ShardedBot(TrainerBot, commands.AutoShardedBot):
    """The same bot on several connections: some or all shards of a bot in many servers.

    Takes `shard_ids` and `shard_count`, as discord.py does. Direct messages
    come on shard 0.
    """

    async def on_message(self, message: discord.Message, /) -> None:
        # Most messages are no commands; discord.py would make a context for each.
        # It leaves other bots alone, and those webhooks that Discord calls bots.
        if message.content.startswith(PREFIX) and message.webhook_id is None:
            await self.process_commands(message)

    def serves(self, guild_id: int | None) -> bool:
        assert self.shard_count is not None  # whoever names shards says of how many
        shard = (guild_id >> 22) % self.shard_count if guild_id else 0
        return shard in (self.shard_ids or range(self.shard_count))

    def shard_latencies(self) -> list[tuple[int, float]]:
        return self.latencies

    async def connect(self, *, reconnect: bool = True) -> None:
        limits = await self.fetch_session_start_limits()
        self.max_concurrency = max(1, limits.max_concurrency)
        await commands.AutoShardedBot.connect(self, reconnect=reconnect)
