"""The dashboard learns which guilds, roles and channels there are, in a simulated Discord."""

import discord
import pytest
from channels.db import database_sync_to_async

from dashboard.models import DiscordChannel, DiscordGuild, DiscordRole, OutboxEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]


@pytest.fixture
def guild(simcord_env):
    return simcord_env.create_guild(name="The library")


def of_bot(simcord_env, guild) -> discord.Guild:
    """The guild as the bot may change it."""
    found = simcord_env.bot.get_guild(guild.id)
    assert found is not None
    return found


@database_sync_to_async
def channels() -> list[tuple[str, str, str, bool]]:
    rows = DiscordChannel.objects.order_by("gone_at", "position")
    return [(row.name, row.kind, row.category, row.gone_at is not None) for row in rows]


@database_sync_to_async
def roles() -> list[tuple[str, bool]]:
    people = DiscordRole.objects.exclude(name="TestBot")  # simcord's bot has a role of its own
    return [(row.name, row.gone_at is not None) for row in people]


@database_sync_to_async
def guilds() -> list[tuple[str, bool]]:
    return [(row.name, row.left_at is not None) for row in DiscordGuild.objects.order_by("pk")]


@database_sync_to_async
def n_told() -> int:
    return OutboxEvent.objects.filter(topic="places").count()


async def test_a_guild_appears_with_its_roles_and_channels(simcord_env, guild):
    floor = guild.create_category("Ground floor")
    guild.create_text_channel("desk", category=floor)
    guild.create_voice_channel("hall")
    guild.create_role("librarian")

    await simcord_env.settle()

    assert await guilds() == [("The library", False)]
    assert await channels() == [
        ("hall", "voice", "", False),
        ("desk", "text", "Ground floor", False),
    ]
    assert set(await roles()) == {("@everyone", False), ("librarian", False)}


async def test_what_is_renamed_or_deleted_is_so_on_the_dashboard(simcord_env, guild):
    desk, hall = guild.create_text_channel("desk"), guild.create_text_channel("hall")
    role = guild.create_role("librarian")
    await simcord_env.settle()
    seen = of_bot(simcord_env, guild)

    await seen.edit(name="The archive")
    await seen.get_channel(desk.id).edit(name="counter")
    await seen.get_channel(hall.id).delete()
    await seen.get_role(role.id).delete()
    await simcord_env.settle()

    assert await guilds() == [("The archive", False)]
    assert set(await channels()) == {
        ("counter", "text", "", False),
        ("hall", "text", "", True),
    }
    assert set(await roles()) == {("@everyone", False), ("librarian", True)}


async def test_a_guild_that_is_left_is_marked(simcord_env, guild):
    await simcord_env.settle()

    await of_bot(simcord_env, guild).leave()
    await simcord_env.settle()

    assert await guilds() == [("The library", True)]


async def test_a_guild_that_was_left_while_the_bot_was_away_is_marked(simcord_env, guild):
    await database_sync_to_async(DiscordGuild.objects.create)(discord_guild_id=1, name="Gone")

    await simcord_env.bot.get_cog("Places").on_ready()

    assert set(await guilds()) == {("The library", False), ("Gone", True)}


async def test_many_changes_at_once_are_told_together(simcord_env, guild):
    await simcord_env.settle()
    cog = simcord_env.bot.get_cog("Places")
    told = await n_told()
    seen = of_bot(simcord_env, guild)

    for number in range(20):
        guild.create_text_channel(f"room-{number}")
        cog.look_at(seen)
    await simcord_env.settle()

    assert await n_told() - told < 20
    assert len(await channels()) == 20


async def test_a_guild_is_looked_at_once_in_a_while_however_much_changes(simcord_env, guild):
    await simcord_env.settle()
    cog = simcord_env.bot.get_cog("Places")
    cog.spacing_s = 60.0
    told = await n_told()

    guild.create_text_channel("desk")
    guild.create_text_channel("hall")
    await simcord_env.settle()
    assert await n_told() == told

    await simcord_env.advance_time(60.0)
    assert await n_told() == told + 1
    assert len(await channels()) == 2
