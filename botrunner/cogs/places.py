"""Tells the dashboard which guilds, roles and channels there are."""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING

import discord
from channels.db import database_sync_to_async
from discord.ext import commands
from django.db import DatabaseError

from dashboard.services import sightings
from dashboard.services.sightings import SeenChannel, SeenGuild, SeenRole

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

RETRY_S = 30.0
seen = database_sync_to_async(sightings.seen)
left = database_sync_to_async(sightings.left)
only_in = database_sync_to_async(sightings.only_in)


class Places(commands.Cog):
    """Keeps the rows of guilds, roles and channels like Discord's.

    However much changes in a guild at once, it is told of at most once in
    `spacing_s` seconds, with all that is there then.
    """

    spacing_s = 1.0

    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        self._changed: set[int] = set()
        # By guild: the task that tells of it, and when it was told of last.
        self._telling: dict[int, asyncio.Task[None]] = {}
        self._told_at: dict[int, float] = {}

    async def cog_unload(self) -> None:
        for task in self._telling.values():
            task.cancel()

    # --- what Discord tells -------------------------------------------------------
    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Mark the guilds that were left while the bot was away."""
        bot = self.bot
        n_shards = bot.shard_count or 1
        shard_ids = getattr(bot, "shard_ids", None) or range(n_shards)
        try:
            await only_in(
                [guild.id for guild in bot.guilds], shard_ids=list(shard_ids), n_shards=n_shards
            )
        except DatabaseError:
            log.exception("Which guilds were left could not be stored; at the next start, again.")

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        self.look_at(guild)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        self.look_at(guild)

    @commands.Cog.listener()
    async def on_guild_update(self, before: discord.Guild, after: discord.Guild) -> None:
        if before.name != after.name:
            self.look_at(after)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        self.look_at(guild)

    @commands.Cog.listener()
    async def on_guild_role_create(self, role: discord.Role) -> None:
        self.look_at(role.guild)

    @commands.Cog.listener()
    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        self.look_at(after.guild)

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        self.look_at(role.guild)

    @commands.Cog.listener()
    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        self.look_at(channel.guild)

    @commands.Cog.listener()
    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        self.look_at(after.guild)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        self.look_at(channel.guild)

    # --- what is told on ------------------------------------------------------------
    def look_at(self, guild: discord.Guild) -> None:
        """Tell the dashboard of `guild` soon. Never blocks."""
        self._changed.add(guild.id)
        if guild.id not in self._telling:
            self._telling[guild.id] = asyncio.create_task(self._tell(guild.id))

    async def _tell(self, guild_id: int) -> None:
        now = asyncio.get_running_loop().time
        try:
            while guild_id in self._changed:
                free_at = self._told_at.get(guild_id, -math.inf) + self.spacing_s
                await asyncio.sleep(max(0.0, free_at - now()))
                self._changed.discard(guild_id)
                self._told_at[guild_id] = now()
                try:
                    await self._write(guild_id)
                except DatabaseError:
                    log.exception("What is in guild %s could not be stored; again soon.", guild_id)
                    self._changed.add(guild_id)
                    await asyncio.sleep(RETRY_S)
        finally:
            del self._telling[guild_id]

    async def _write(self, guild_id: int) -> None:
        guild = self.bot.get_guild(guild_id)
        if guild is None:
            await left(guild_id)
        elif not guild.unavailable:  # in an outage Discord tells no more than the id
            await seen(what_is_in(guild))


def what_is_in(guild: discord.Guild) -> SeenGuild:
    """All of a guild that can be set on the dashboard."""
    places = (
        discord.TextChannel,
        discord.VoiceChannel,
        discord.StageChannel,
        discord.ForumChannel,
    )
    # As Discord's own list shows them: by category, those without one first.
    ordered = [
        channel
        for _, channels in guild.by_category()
        for channel in channels
        if isinstance(channel, places)
    ]
    return SeenGuild(
        discord_guild_id=guild.id,
        name=guild.name,
        roles=tuple(
            SeenRole(role.id, role.name, role.position)
            for role in guild.roles
            if not role.is_bot_managed()  # of a bot, which is never answered
        ),
        channels=tuple(
            SeenChannel(
                channel.id,
                channel.name,
                channel.type.name,
                channel.category.name if channel.category else "",
                position,
            )
            for position, channel in enumerate(ordered)
        ),
    )


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(Places(bot))
