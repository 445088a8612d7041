"""Shows proposed corrections to trainers, and lets Discord see what became of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import aiohttp
import discord
from channels.db import database_sync_to_async
from discord.ext import commands

from botrunner.ui import cards as card
from botrunner.ui import forms, mending
from dashboard.models import Correction, OutboxEvent
from dashboard.services import cards, corrections, places

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

TOPICS = frozenset({corrections.TOPIC, places.TOPIC})
HANDLERS: dict[str, forms.Handler] = {
    card.EDIT_FORM: card.receive_edit,
    card.REJECT_FORM: card.receive_rejection,
}

to_post = database_sync_to_async(cards.to_post)
to_renew = database_sync_to_async(cards.to_renew)
to_close = database_sync_to_async(cards.to_close)
to_tell = database_sync_to_async(cards.to_tell)
opened = database_sync_to_async(cards.opened)
renewed = database_sync_to_async(cards.renewed)
closed = database_sync_to_async(cards.closed)
lost = database_sync_to_async(cards.lost)
# On a thread of its own: the one that all rows share must not wait for it.
shown = database_sync_to_async(cards.shown, thread_sensitive=False)
told = database_sync_to_async(cards.told)


class Review(commands.Cog):
    """Whatever is left to do is in the rows: at a start, and whenever something changed."""

    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        self._working = asyncio.Lock()
        self._is_news = False
        self._closed_to_us: set[int] = set()  # review channels that refused a card

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[TrainerBot]) -> None:
        await forms.submitted(interaction, HANDLERS)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        await self.catch_up()

    @commands.Cog.listener()
    async def on_outbox(self, event: OutboxEvent) -> None:
        if event.topic == places.TOPIC:
            self._closed_to_us.clear()  # perhaps another channel by now
        if event.topic in TOPICS:
            await self.catch_up()

    async def catch_up(self) -> None:
        """Do all that is left to do. Whoever calls while it is being done need not wait."""
        self._is_news = True
        if self._working.locked():
            return
        async with self._working:
            while self._is_news and not self.bot.is_stopping:
                self._is_news = False
                with self.bot.in_flight.answering(counts=False):
                    closed_to_us = frozenset(self._closed_to_us)
                    await self._each(await to_post(except_in=closed_to_us), self._post)
                    await self._each(await to_close(), self._close)
                    await self._each(await to_renew(), self._renew)
                    await self._each(await to_tell(), self._tell)

    async def _each(
        self, rows: list[Correction], act: Callable[[Correction], Awaitable[bool]]
    ) -> None:
        """Act on all of them. What Discord cannot do now stays left to do."""
        n_done = 0
        for row in rows:
            if not self._is_ours(row):
                continue
            try:
                n_done += await act(row)
            except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                log.warning("Correction %s could not be shown on Discord: %s", row.pk, error)
        if n_done and len(rows) >= cards.AT_ONCE:
            self._is_news = True  # there may be more

    def _is_ours(self, correction: Correction) -> bool:
        """Whether its guild is on a connection of this process; direct messages are on the first."""
        n_shards, ours = self.bot.shard_count, getattr(self.bot, "shard_ids", None)
        if not n_shards or ours is None:
            return True
        return ((cards.guild_id_of(correction) or 0) >> 22) % n_shards in ours

    async def _post(self, correction: Correction) -> bool:
        channel_id = cards.review_channel_id(correction)
        if channel_id is None or channel_id in self._closed_to_us:
            return False
        channel = self.bot.get_partial_messageable(channel_id)
        try:
            message = await card.post(channel, correction, await shown(correction))
        except (discord.Forbidden, discord.NotFound) as refusal:
            self._closed_to_us.add(channel_id)
            log.warning("The review channel %s takes no cards: %s", channel_id, refusal)
            return False
        await opened(correction, channel_id=channel_id, message_id=message.id)
        return True

    async def _renew(self, correction: Correction) -> bool:
        """Let the card show the votes, words and place of now, with its buttons."""
        tells = await shown(correction)
        try:
            await self._card_of(correction).edit(
                content=card.text(correction, tells),
                view=card.buttons(correction, tells),
                attachments=card.files(correction),
            )
        except discord.NotFound:
            await lost(correction)
            self._is_news = True  # so that it gets another
            return True
        except discord.Forbidden as refusal:
            log.info("The card of correction %s stays as it is: %s", correction.pk, refusal)
        await renewed(correction)
        return True

    def _card_of(self, correction: Correction) -> discord.PartialMessage:
        assert correction.card_channel_id is not None  # stored together with
        assert correction.card_message_id is not None
        channel = self.bot.get_partial_messageable(correction.card_channel_id)
        return channel.get_partial_message(correction.card_message_id)

    async def _close(self, correction: Correction) -> bool:
        try:
            await self._card_of(correction).edit(
                content=card.text(correction, await shown(correction)),
                view=None,
                attachments=card.files(correction),
            )
        except (discord.Forbidden, discord.NotFound) as refusal:
            log.info("The card of correction %s is gone: %s", correction.pk, refusal)
        await closed(correction)
        return True

    async def _tell(self, correction: Correction) -> bool:
        if correction.message is not None and cards.is_mended(correction):
            await mending.mend(self.bot, correction.message)
        person = cards.to_be_told(correction)
        if person is not None:
            await mending.tell(self.bot, correction, person)
        await told(correction)
        return True


async def setup(bot: TrainerBot) -> None:
    bot.add_dynamic_items(card.Decide)
    await bot.add_cog(Review(bot))
