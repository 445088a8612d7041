"""Goes on with what people asked for and an earlier process of the bot did not bring to its end."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, Protocol, cast

import aiohttp
import discord
from channels.db import database_sync_to_async
from discord.ext import commands, tasks
from django.db import DatabaseError

from botrunner.faults import explain
from botrunner.intake import GOES_ON
from botrunner.progress import Progress, Said
from botrunner.ui.job_cards import FAILED
from dashboard.models import DiscordRequest
from dashboard.services import requests

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

LOOK_S: Final = 60.0
Kind = DiscordRequest.Kind
# Who goes on with what, and what is said before the reason if nothing came of it.
COGS: Final = {Kind.IMPORT: "Library", Kind.TRAIN: "Training", Kind.TEST: "Testing"}
FAILURES: Final = {Kind.TRAIN: FAILED, Kind.TEST: "Failed to get predictions."}
WORDS: Final = {
    Kind.IMPORT: "your import has come to its end, as the message above tells.",
    Kind.TRAIN: "your training was not started, as the message above tells.",
    Kind.TEST: "your test has come to its end, as the message above tells.",
}

find_untold = database_sync_to_async(requests.untold)
find = database_sync_to_async(requests.look)
note_told = database_sync_to_async(requests.told)


class GoesOn(Protocol):
    async def go_on(self, live: Progress, request: DiscordRequest) -> Said | None:
        """See a request through; what is to be said in the end, None where a job tells of itself."""
        ...


class Requests(commands.Cog):
    """Takes up each request that no command of this process has in hand.

    Whoever asked no longer watches, so they are mentioned once it is over.
    """

    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        self._going_on: set[asyncio.Task[None]] = set()

    async def cog_load(self) -> None:
        self._look.start()

    async def cog_unload(self) -> None:
        self._look.cancel()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        await self.take_up()

    @tasks.loop(seconds=LOOK_S)
    async def _look(self) -> None:
        """Find those whose end Discord would not take when it was to be told."""
        if self.bot.is_ready():
            await self.take_up()

    async def take_up(self) -> None:
        """Go on, at the same time, with all that nobody has in hand."""
        if self.bot.is_stopping:
            return
        try:
            left = await find_untold()
        except DatabaseError as error:
            log.warning("What was asked for could not be read: %s", error)
            return
        for request in left:
            in_hand = request.discord_message_id in self.bot.in_hand
            if in_hand or not self.bot.serves(request.discord_guild_id):
                continue
            self.bot.in_hand.add(request.discord_message_id)
            task = asyncio.create_task(self._go_on(request))
            self._going_on.add(task)
            task.add_done_callback(self._going_on.discard)

    async def _go_on(self, request: DiscordRequest) -> None:
        channel = self.bot.get_partial_messageable(request.discord_channel_id)
        message = channel.get_partial_message(request.discord_message_id)
        live = Progress.onto(message)
        try:
            with self.bot.in_flight.answering(counts=False):
                await self._see_through(live, request, message)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.warning("The end of request %s could not be told yet: %s", request.pk, error)
        except DatabaseError as error:
            log.warning("Request %s is told later: %s", request.pk, error)
        finally:
            self.bot.in_hand.discard(request.discord_message_id)

    async def _see_through(
        self, live: Progress, request: DiscordRequest, message: discord.PartialMessage
    ) -> None:
        kind = Kind(request.kind)
        cog = cast("GoesOn", self.bot.get_cog(COGS[kind]))
        request = (await find(request.pk)).request
        try:
            said = await cog.go_on(live, request)
        except asyncio.CancelledError:
            await live.end(GOES_ON)
            raise
        except Exception as error:
            reason = str(await explain(error, f"Request {request.pk}"))
            said = Said(f"{FAILURES[kind]}\n{reason}" if kind in FAILURES else reason)
        if said is not None:
            await live.finish(said.text, files=said.files)
            await self._ping(request, message, WORDS[kind])
        await note_told(request.pk)

    async def _ping(
        self, request: DiscordRequest, message: discord.PartialMessage, words: str
    ) -> None:
        if request.discord_user is None:
            return
        asker = request.discord_user.discord_user_id
        try:
            await message.channel.send(
                f"<@{asker}> {words}",
                # Posted once, though this process may die before that is noted.
                nonce=f"request-{request.pk}",
                reference=message.to_reference(fail_if_not_exists=False),
                allowed_mentions=discord.AllowedMentions(
                    everyone=False, roles=False, users=[discord.Object(asker)], replied_user=False
                ),
            )
        except (discord.NotFound, discord.Forbidden) as error:
            log.warning("Nobody can be told there how request %s ended: %s", request.pk, error)


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(Requests(bot))
