"""Tells review channels how a training on what people taught ended, once."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import aiohttp
import discord
from channels.db import database_sync_to_async
from discord.ext import commands

from botrunner.ui import training_cards as card
from dashboard.services import places, trainings
from dashboard.services.trainings import telling

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot
    from dashboard.models import OutboxEvent
    from dashboard.services.trainings.telling import Ending

log = logging.getLogger(__name__)

TOPICS = frozenset({trainings.TOPIC, places.TOPIC})

to_tell = database_sync_to_async(telling.to_tell)
told = database_sync_to_async(telling.told)


class Verdicts(commands.Cog):
    """What is left to tell is in rows: at a start, and whenever a training changed.

    The message carries a nonce, so that a bot which dies between sending it
    and noting that sends no second one.
    """

    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        self._working = asyncio.Lock()
        self._is_news = False

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        await self.catch_up()

    @commands.Cog.listener()
    async def on_outbox(self, event: OutboxEvent) -> None:
        if event.topic in TOPICS:
            await self.catch_up()

    async def catch_up(self) -> None:
        """Tell all that is left to tell. Whoever calls while it is being done need not wait."""
        self._is_news = True
        if self._working.locked():
            return
        async with self._working:
            while self._is_news and not self.bot.is_stopping:
                self._is_news = False
                with self.bot.in_flight.answering(counts=False):
                    for ending in await to_tell():
                        if self.bot.serves(ending.card.guild.discord_guild_id):
                            await self._tell(ending)

    async def _tell(self, ending: Ending) -> None:
        channel = self.bot.get_partial_messageable(
            ending.channel_id, guild_id=ending.card.guild.discord_guild_id
        )
        try:
            message = await channel.send(
                card.text(ending)[:2000],
                view=card.buttons(ending),
                nonce=f"training-{ending.card.pk}",
                allowed_mentions=discord.AllowedMentions.none(),
            )
        except (discord.Forbidden, discord.NotFound) as refusal:
            log.warning("The review channel %s takes no cards: %s", ending.channel_id, refusal)
            await told(ending.card)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.warning("Training %s could not be told of: %s", ending.training.pk, error)
        else:
            await told(ending.card, channel_id=ending.channel_id, message_id=message.id)


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(Verdicts(bot))
