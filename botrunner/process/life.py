"""The life of one runbot: alone with its token, logged in, heard of, ended cleanly."""

import asyncio
import logging
import os
import socket
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp
import discord
from channels.db import database_sync_to_async
from django.db import DatabaseError

from botrunner import gateway
from botrunner.bot import TrainerBot
from botrunner.process.news import News
from dashboard.models import OutboxEvent, ProcessState, Source
from dashboard.services import conversations, processes, providers, recall
from trainerbot.errors import Conflict, TrainerBotError

log = logging.getLogger(__name__)

State = ProcessState.State
report = database_sync_to_async(processes.report)
release = database_sync_to_async(processes.release)

NAME = "bot"
HEARTBEAT_S = 10.0
RETRY_FIRST_S, RETRY_LONGEST_S = 1.0, 60.0
BAD_TOKEN = "Discord refused the token. Set DISCORD_TOKEN to the bot's current one."
NO_MESSAGE_CONTENT = (
    "Discord did not grant the message content intent. Going on without it: the bot answers "
    "mentions, direct messages and replies that mention it. Switch the intent on in Discord's "
    "developer portal to have other replies answered."
)
# What Discord closes the gateway with when trying again would not help.
FATAL_CLOSE_CODES = {
    4004: BAD_TOKEN,
    4010: "Discord refused the shard. Check the shard ids and the shard count.",
    4011: "Discord wants this bot to be sharded; it is in too many servers for one connection.",
    4012: "Discord no longer speaks this version of its gateway. Update TrainerBot.",
    4013: "Discord refused the intents. Update TrainerBot.",
}


class LoginRefused(TrainerBotError):
    """Discord said no to what the settings hold; trying again would not help."""


@dataclass
class Wishes:
    """What the outside wants of a running bot."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)

    def ask_to_stop(self) -> None:
        """Stop after the answers in flight; asked twice, without waiting for them."""
        if self.stop.is_set():
            self.hurry.set()
        self.stop.set()


class BotProcess:
    """Runs the bot until it is asked to stop. One object, one run."""

    def __init__(self, *, token: str, api_base: str, drain_s: float) -> None:
        self._token = token
        self._api_base = api_base
        self._drain_s = drain_s
        self.holder = f"{socket.gethostname()}:{os.getpid()}"
        self.bot: TrainerBot | None = None
        self._heart = asyncio.Event()
        self.wishes = Wishes()

    async def run(self) -> None:
        """Answer on Discord until asked to stop.

        Raises LoginRefused for settings that Discord refuses, and Conflict
        when another runbot took over meanwhile.
        """
        if not await self._wait_for_place():
            return
        news = News(self._tell)
        news.start()
        tasks = [
            asyncio.create_task(work)
            for work in (self._beat(), self._stay_connected(), self.wishes.stop.wait())
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await self._finish_answers()
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            await news.stop()
            await providers.close_chat_model()
            await self._leave_place()
        for end in ends:
            if isinstance(end, Exception):
                raise end

    def beat_now(self) -> None:
        """Let the next heartbeat not wait for its time."""
        self._heart.set()

    def _tell(self, event: OutboxEvent) -> None:
        if self.bot is not None:
            self.bot.dispatch("outbox", event)

    # --- alone with the token ---------------------------------------------------
    async def _wait_for_place(self) -> bool:
        """Wait until no other runbot runs on this database. False if asked to stop before."""
        told = False
        while not self.wishes.stop.is_set():
            if await take_place(self.holder):
                await report(NAME, state=State.STARTING, pid=os.getpid(), message="")
                return True
            if not told:
                log.warning("Another runbot is running. Waiting until it ends, to take over.")
                told = True
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wishes.stop.wait(), 2.0)
        return False

    async def _leave_place(self) -> None:
        try:
            if await take_place(self.holder):  # else another one has it, and speaks for itself
                await report(NAME, state=State.STOPPED, message="Stopped.")
                await release(NAME, self.holder)
        except DatabaseError:
            log.exception("That the bot ended could not be stored.")

    async def _beat(self) -> None:
        """Say every ten seconds that the bot lives. Raises Conflict if another took over."""
        while True:
            try:
                if not await take_place(self.holder):
                    raise Conflict("Another runbot took over. This one ends.")
                if self.bot and self.bot.is_ready():
                    await report(NAME, state=State.RUNNING, message="", detail=figures(self.bot))
            except DatabaseError:
                log.exception("The heartbeat could not be stored; the bot goes on.")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._heart.wait(), HEARTBEAT_S)
            self._heart.clear()

    # --- connected --------------------------------------------------------------
    async def _stay_connected(self) -> None:
        await warm_up()
        message_content, pause_s = True, RETRY_FIRST_S
        while True:
            self.bot = bot = TrainerBot(message_content=message_content)
            bot.add_listener(self._on_ready, "on_ready")
            if self._api_base:
                gateway.point_at(bot, self._api_base)
            try:
                async with bot:
                    await bot.start(self._token)
                return
            except discord.LoginFailure:
                raise LoginRefused(BAD_TOKEN) from None
            except discord.PrivilegedIntentsRequired:
                message_content = False
                log.warning(NO_MESSAGE_CONTENT)
                continue
            except discord.ConnectionClosed as closed:
                if closed.code in FATAL_CLOSE_CODES:
                    raise LoginRefused(FATAL_CLOSE_CODES[closed.code]) from closed
                problem: Exception = closed
            except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
                problem = error
            log.warning("Discord cannot be reached (%s). Again in %.0f s.", problem, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, RETRY_LONGEST_S)

    async def _on_ready(self) -> None:
        self.beat_now()

    async def _finish_answers(self) -> None:
        if self.bot is None:
            return
        self.bot.is_stopping = True
        finishing = asyncio.create_task(self.bot.in_flight.finish(within_s=self._drain_s))
        hurrying = asyncio.create_task(self.wishes.hurry.wait())
        await asyncio.wait((finishing, hurrying), return_when=asyncio.FIRST_COMPLETED)
        hurrying.cancel()
        await self.bot.in_flight.finish(within_s=0)
        await finishing


async def warm_up() -> None:
    """Load what the first answer needs: it should not wait, and no heartbeat should wait for it.

    And close what a bot that was killed has left unanswered.
    """
    await database_sync_to_async(conversations.close_unanswered)(Source.DISCORD)
    await providers.chat_model()
    await database_sync_to_async(recall.current)()


def figures(bot: TrainerBot) -> dict[str, object]:
    """What the dashboard shows of a running bot."""
    return {
        "user": str(bot.user),
        "guilds": len(bot.guilds),
        "latency_ms": round(bot.latency * 1000),
        "message_content": bot.intents.message_content,
    }


@database_sync_to_async
def take_place(holder: str) -> bool:
    """Be the one runbot, or stay it. False while another one lives."""
    if processes.hold(NAME, holder):
        return True
    row = ProcessState.objects.get(name=NAME)
    host, _, pid = row.holder.rpartition(":")
    if host != socket.gethostname() or is_running(int(pid)):
        return False
    # It died without a word; there is no need to wait until it has been silent for long.
    processes.release(NAME, row.holder)
    return processes.hold(NAME, holder)


def is_running(pid: int) -> bool:
    """Whether a process of this machine has the id `pid`. On Windows we cannot tell: True."""
    if os.name != "posix":
        return True  # there, signal 0 would end the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
