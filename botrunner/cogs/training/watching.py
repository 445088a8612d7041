"""Keeps the message of each job true, and tells its asker once how it ended."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import aiohttp
import discord
from channels.db import database_sync_to_async
from django.db import DatabaseError

from botrunner.ui.acting import lasting
from botrunner.ui.job_cards import card, ending
from botrunner.ui.jobs import CancelJob
from dashboard.services import standings

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot
    from dashboard.services.standings import Standing

log = logging.getLogger(__name__)

SPACING_S = 1.2  # between two edits of one message
LOOK_EVERY_S = 5.0  # while there are jobs, whether or not there is news
find_untold = database_sync_to_async(standings.untold)
note_told = database_sync_to_async(standings.told)


class JobWatcher:
    """Looks at the jobs whose askers wait, at each piece of news and every few seconds.

    It rests once all of them are told, until `look_soon`. All it knows is in
    rows: after a restart it goes on where it was. The message that tells the
    end carries a nonce, so that a bot which dies between sending it and noting
    that sends no second one.
    """

    def __init__(self, bot: TrainerBot) -> None:
        self._bot = bot
        self._has_news = False
        self._shown: dict[int, str] = {}
        self._task: asyncio.Task[None] | None = None

    def look_soon(self) -> None:
        """Look again before it is time: something may have changed. Never blocks."""
        self._has_news = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _watch(self) -> None:
        n_open = 1
        while n_open or self._has_news:
            self._has_news = False
            try:
                n_open = await self.look()
            except DatabaseError as error:
                log.warning("The jobs that are waited for could not be read: %s", error)
            if not n_open:
                continue  # nobody waits, so there is no message to keep a distance from
            for _ in range(round(LOOK_EVERY_S / SPACING_S)):
                await asyncio.sleep(SPACING_S)
                if self._has_news:
                    break

    async def look(self) -> int:
        """Show how each job stands and tell of those that ended; how many there were."""
        found = [
            each for each in await find_untold() if self._bot.serves(each.discord_guild_id)
        ]  # of another process's servers that one tells
        for now in found:
            if now.job.discord_message_id in self._bot.in_hand:
                continue  # its command still writes there
            try:
                await self._show(now)
                if now.job.is_finished:
                    await self._tell(now)
            except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                log.warning("How job %s goes could not be shown: %s", now.job.pk, error)
        return len(found)

    async def _show(self, now: Standing) -> None:
        job, text = now.job, card(now)
        assert job.discord_channel_id is not None  # asked for on Discord
        assert job.discord_message_id is not None
        if self._shown.get(job.pk) == text:
            return
        channel = self._bot.get_partial_messageable(job.discord_channel_id)
        view = None if job.is_finished or job.cancel_requested else lasting(CancelJob(job.pk))
        try:
            await channel.get_partial_message(job.discord_message_id).edit(content=text, view=view)
        except (discord.NotFound, discord.Forbidden):
            log.info("The message of job %s is gone; it is not put back.", job.pk)
        self._shown[job.pk] = text

    async def _tell(self, now: Standing) -> None:
        job = now.job
        assert job.discord_channel_id is not None  # as above
        assert job.discord_message_id is not None
        channel = self._bot.get_partial_messageable(job.discord_channel_id)
        asker = [discord.Object(job.discord_user.discord_user_id)] if job.discord_user else []
        try:
            await channel.send(
                ending(now)[:2000],
                nonce=f"job-{job.pk}",
                reference=discord.MessageReference(
                    message_id=job.discord_message_id,
                    channel_id=job.discord_channel_id,
                    fail_if_not_exists=False,
                ),
                # The only one who is ever mentioned.
                allowed_mentions=discord.AllowedMentions(
                    everyone=False, roles=False, users=asker, replied_user=False
                ),
            )
        except (discord.NotFound, discord.Forbidden) as error:
            log.warning("Nobody can be told there how job %s ended: %s", job.pk, error)
        await note_told(job)
        self._shown.pop(job.pk, None)
