"""The life of one runbot: alone with its shards, logged in, heard of, ended cleanly."""

import asyncio
import gc
import logging
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp
import discord
from channels.db import database_sync_to_async
from django.db import DatabaseError

from botrunner import gateway
from botrunner.bot import ShardedBot, TrainerBot
from botrunner.process import tree
from botrunner.process.figures import figures
from botrunner.process.lag import LoopLag
from botrunner.process.news import News
from botrunner.rest import Patience
from dashboard.models import OutboxEvent, ProcessState
from dashboard.services import bot as bots
from dashboard.services import processes, providers, recall
from dashboard.services.bot import ShardRange, orders
from dashboard.services.bot.places import this_process
from trainerbot.errors import Conflict, TrainerBotError

log = logging.getLogger(__name__)

State = ProcessState.State
report = database_sync_to_async(processes.report)
take_place = database_sync_to_async(bots.take_place)
leave_place = database_sync_to_async(bots.leave_place)
wishes_of_admins = database_sync_to_async(bots.wishes)

HEARTBEAT_S = 10.0
LOOK_FOR_PLACE_S = 2.0
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
    """Runs the bot until it is asked to stop. One object, one run.

    obeys: whether it follows the orders of admins itself, as a runbot must
    that nobody supervises.
    """

    def __init__(
        self,
        *,
        token: str,
        api_base: str,
        drain_s: float,
        shards: ShardRange | None = None,
        obeys: bool = False,
    ) -> None:
        self._token = token
        self._api_base = api_base
        self._drain_s = drain_s
        self._shards = shards or ShardRange()
        self._obeys = obeys
        self.holder = this_process()
        self.bot: TrainerBot | None = None
        self.wishes = Wishes()
        self._patience = Patience()
        self._heart = asyncio.Event()
        self._ordered = asyncio.Event()
        self._started = time.time()
        self._tree: asyncio.Task[None] | None = None

    async def run(self) -> bool:
        """Answer on Discord until asked to stop; True where an admin wants it to run again.

        Raises LoginRefused for settings that Discord refuses, and Conflict
        when another runbot took over meanwhile.
        """
        self._patience.guard_webhooks()
        news = News(self._tell)
        news.start()
        try:
            if await self._wait_until_wanted() and await self._wait_for_place():
                return await self._live()
            return False
        finally:
            await news.stop()

    async def _live(self) -> bool:
        self._lag = LoopLag()
        self._lag.start()
        ordered = asyncio.create_task(self._wait_for_order())
        tasks = [
            asyncio.create_task(work)
            for work in (self._beat(), self._stay_connected(), self.wishes.stop.wait())
        ]
        try:
            await asyncio.wait([ordered, *tasks], return_when=asyncio.FIRST_COMPLETED)
            again = ordered.done() and not self.wishes.stop.is_set()
            await self._finish_answers()
        finally:
            for task in (ordered, *tasks):
                task.cancel()
            if self._tree:
                self._tree.cancel()
            ends = await asyncio.gather(ordered, *tasks, return_exceptions=True)
            self._lag.stop()
            await providers.close_clients()
            await self._leave_place()
        for end in ends:
            if isinstance(end, Exception):
                raise end
        return again

    def beat_now(self) -> None:
        """Let the next heartbeat not wait for its time."""
        self._heart.set()

    def _tell(self, event: OutboxEvent) -> None:
        if event.kind == orders.KIND:
            self._ordered.set()
        if self.bot is not None and not self.bot.is_closed():
            self.bot.dispatch("outbox", event)

    # --- what admins want ---------------------------------------------------------
    async def _wait_until_wanted(self) -> bool:
        """Wait while an admin has the bot stopped. False if asked to end before."""
        told = False
        while self._obeys and not (await wishes_of_admins()).is_wanted:
            if not told:
                log.warning("Stopped on the dashboard. Waiting until it is started there.")
                await report(
                    self._shards.name, state=State.STOPPED, message=orders.STOPPED_BY_ADMIN
                )
                told = True
            await self._until_stop_or(self._ordered)
            if self.wishes.stop.is_set():
                return False
        return True

    async def _wait_for_order(self) -> None:
        """Return when an admin wants the bot to stop or to start anew."""
        if not self._obeys:
            await asyncio.Event().wait()
        before = await wishes_of_admins()
        while True:
            self._ordered.clear()
            try:
                wish = await wishes_of_admins()
            except DatabaseError as error:
                log.warning("What admins want of the bot could not be read: %s", error)
                wish = before
            if not wish.is_wanted or wish.restart_asked_at != before.restart_asked_at:
                return
            await self._ordered.wait()

    async def _until_stop_or(self, event: asyncio.Event, *, within_s: float | None = None) -> None:
        waiting = [asyncio.create_task(each.wait()) for each in (self.wishes.stop, event)]
        await asyncio.wait(waiting, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        event.clear()

    # --- alone with its shards ----------------------------------------------------
    async def _wait_for_place(self) -> bool:
        """Wait until no other runbot runs these shards. False if asked to stop before."""
        told = False
        while not self.wishes.stop.is_set():
            if await take_place(self._shards, self.holder):
                await report(self._shards.name, state=State.STARTING, pid=os.getpid(), message="")
                return True
            if not told:
                log.warning("Another runbot is running. Waiting until it ends, to take over.")
                told = True
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wishes.stop.wait(), LOOK_FOR_PLACE_S)
        return False

    async def _leave_place(self) -> None:
        try:
            # Else another one has it, and speaks for itself.
            if await take_place(self._shards, self.holder):
                await report(self._shards.name, state=State.STOPPED, message="Stopped.")
                await leave_place(self._shards, self.holder)
        except DatabaseError:
            log.exception("That the bot ended could not be stored.")

    async def _beat(self) -> None:
        """Say every ten seconds that the bot lives. Raises Conflict if another took over."""
        while True:
            try:
                if not await take_place(self._shards, self.holder):
                    raise Conflict("Another runbot took over. This one ends.")
                if self.bot and self.bot.is_ready():
                    detail = figures(self.bot, self._patience, self._lag, started=self._started)
                    await report(self._shards.name, state=State.RUNNING, message="", detail=detail)
            except DatabaseError:
                log.exception("The heartbeat could not be stored; the bot goes on.")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._heart.wait(), HEARTBEAT_S)
            self._heart.clear()
            self._ordered.set()  # look again, whatever the outbox told

    # --- connected --------------------------------------------------------------
    async def _stay_connected(self) -> None:
        await warm_up()
        message_content, pause_s = True, RETRY_FIRST_S
        while True:
            self.bot = bot = self._new_bot(message_content=message_content)
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
            except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
                problem = error
            log.warning("Discord cannot be reached (%s). Again in %.0f s.", problem, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, RETRY_LONGEST_S)

    def _new_bot(self, *, message_content: bool) -> TrainerBot:
        if self._shards.count:
            bot: TrainerBot = ShardedBot(
                message_content=message_content,
                patience=self._patience,
                shard_ids=self._shards.ids,
                shard_count=self._shards.count,
            )
        else:
            bot = TrainerBot(message_content=message_content, patience=self._patience)
        bot.add_listener(self._on_ready, "on_ready")
        if self._api_base:
            gateway.point_at(bot, self._api_base)
        return bot

    async def _on_ready(self) -> None:
        self.beat_now()
        if self._tree is None and self._shards.first == 0 and self.bot is not None:
            self._tree = asyncio.create_task(tree.keep_synced(self.bot))

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
    """Load what the first answer needs: it should not wait, and no heartbeat should wait for it."""
    await providers.chat_model()
    await database_sync_to_async(_recall_once)()
    # All that is loaded by now stays until the end. To look through it again and again
    # took the loop a tenth of a second each time; and most of what a message makes is
    # gone with it, so to look for the rest after each 700 things finds nothing.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _recall_once() -> None:
    """Let the index be built, and what it needs be imported, also if there is none yet."""
    recall.warm()
    recall.current().recall("Is everything ready?")
