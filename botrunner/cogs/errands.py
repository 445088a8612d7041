"""Does what the dashboard asks of the bot: tasks whose kind begins with "bot."."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from channels.db import database_sync_to_async
from discord.ext import commands, tasks
from django.db import DatabaseError

from botrunner.errands import errand, find
from botrunner.faults import explain
from dashboard.models import Task
from dashboard.services.bot import errands
from dashboard.services.tasks import queue
from dashboard.services.tasks.worker import new_name
from trainerbot.errors import NotAllowed, NotFound, TrainerBotError

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot
    from dashboard.models import OutboxEvent

log = logging.getLogger(__name__)

RENEW_S = 5.0
LOOK_S = 10.0
AGAIN_S = 10.0
# What Discord answers while it is away; anything else it would answer again.
AWAY = (aiohttp.ClientError, OSError, discord.DiscordServerError, discord.RateLimited)

claim = database_sync_to_async(queue.claim)
extend = database_sync_to_async(queue.extend)
finish = database_sync_to_async(queue.finish)
failed_try = database_sync_to_async(queue.failed_try)
give_back = database_sync_to_async(queue.give_back)


class Errands(commands.Cog):
    """Claims one task after the other; each is claimed again if this process is killed."""

    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        self.worker = new_name()
        self._is_due = False
        self._working: asyncio.Task[None] | None = None

    async def cog_load(self) -> None:
        self._look.start()

    async def cog_unload(self) -> None:
        self._look.cancel()
        if self._working is not None and not self._working.done():
            self._working.cancel()
            await asyncio.wait([self._working])

    @commands.Cog.listener()
    async def on_outbox(self, event: OutboxEvent) -> None:
        if event.kind == "task.queued" and str(event.payload.get("kind")).startswith(queue.OF_BOT):
            self._wake()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        self._wake()

    @tasks.loop(seconds=LOOK_S)
    async def _look(self) -> None:
        """Find what waited for its next try, or was left by a process that died."""
        if self.bot.is_ready():
            self._wake()

    def _wake(self) -> None:
        self._is_due = True
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        """Do all that is due, one after the other."""
        try:
            while self._is_due and not self.bot.is_stopping:
                self._is_due = False
                while not self.bot.is_stopping:
                    task = await claim(self.worker, of_bot=True)
                    if task is None:
                        break
                    with self.bot.in_flight.answering(counts=False):
                        await self._do(task)
        except DatabaseError as error:
            log.warning("Work for the bot could not be claimed: %s", error)

    async def _do(self, task: Task) -> None:
        renewing = asyncio.create_task(self._renew())
        try:
            result = await find(task.kind)(self.bot, task)
        except asyncio.CancelledError:
            await give_back(self.worker)
            raise
        except AWAY as error:
            log.warning("%s waits for Discord: %s", task, type(error).__name__)
            last = task.attempts + 1 >= task.max_attempts
            await failed_try(
                task,
                self.worker,
                error="Discord cannot be reached." if last else "Discord cannot be reached yet.",
                wait_s=None if last else AGAIN_S,
            )
        except Exception as error:
            reason = await explain(in_words(error), f"Task {task.kind}")
            await failed_try(task, self.worker, error=reason.in_a_line, wait_s=None)
        else:
            await finish(task, self.worker, state=Task.State.SUCCEEDED, result=result, progress=1.0)
        finally:
            renewing.cancel()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                await extend(self.worker)
            except DatabaseError as error:
                log.warning("The lease on work for the bot could not be renewed: %s", error)


@errand(errands.SAY)
async def say(bot: TrainerBot, task: Task) -> dict[str, Any]:
    """Post a text in a channel, once, and return where it can be seen."""
    # Only with its server does the link to the message lead there.
    channel = bot.get_partial_messageable(
        task.args["channel_id"], guild_id=task.args.get("guild_id")
    )
    # With a nonce Discord posts it once, though this may be a second try.
    sent = await channel.send(task.args["text"], nonce=f"task-{task.pk}")
    return {"message_id": str(sent.id), "url": sent.jump_url}


def in_words(error: Exception) -> Exception:
    """Return what a person can do about a refusal of Discord's; anything else as it is."""
    words: TrainerBotError
    if isinstance(error, discord.NotFound):
        words = NotFound("That channel is gone, or the bot was removed from the server.")
    elif isinstance(error, discord.Forbidden):
        words = NotAllowed(
            "The bot may not write there. Give its role the permissions View Channel and "
            "Send Messages in that channel."
        )
    elif isinstance(error, discord.HTTPException):
        words = NotAllowed("Discord does not take this message.")
    else:
        return error
    words.__cause__ = error
    return words


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(Errands(bot))
