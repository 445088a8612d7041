"""A bot in a call at the fake, without the process around it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import discord
import pytest
from channels.db import database_sync_to_async

from botrunner import gateway
from botrunner.cogs.talk.desk import CallDesk
from botrunner.voice.connection import ReceivingClient
from botrunner.voice.playback import Player
from dashboard.services import calls
from tests.botrunner.voice.desks import AnyCall
from tests.botrunner.voice.lines import Line, Mouth, settled, until
from tests.fakes.discord import FakeDiscord

Connected = Callable[[FakeDiscord], Awaitable[ReceivingClient]]


@pytest.fixture
async def connected(aim: None) -> AsyncIterator[Connected]:
    """Return a function that brings a client into the voice channel of a fake."""
    running: list[tuple[discord.Client, asyncio.Task[None]]] = []

    async def connected(fake: FakeDiscord) -> ReceivingClient:
        client = discord.Client(
            intents=discord.Intents(guilds=True, voice_states=True), guild_ready_timeout=0.05
        )
        gateway.point_at(client, fake.api_base)
        running.append((client, asyncio.create_task(client.start(fake.token))))
        await fake.wait_until_online()
        await client.wait_until_ready()
        channel = client.get_channel(int(fake.world.voice.id))
        assert isinstance(channel, discord.VoiceChannel)
        return await channel.connect(timeout=60, cls=ReceivingClient)

    yield connected
    for client, task in running:
        await client.close()
        await task


# --- speaking without Discord -------------------------------------------------------------
@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
async def mouth() -> Mouth:
    return Mouth()


@pytest.fixture
async def player(line, mouth):
    player = Player(synthesize=mouth, voice=lambda: line)
    yield player
    player.clear()
    await settled()


# --- a desk of a bot in a call -----------------------------------------------------------
@pytest.fixture
async def ada(connected_bot, discord_server):
    """Somebody in the voice channel, whom the bot has seen there."""
    ada = discord_server.add_user("Ada")
    await discord_server.voice.sit(ada, discord_server.world.voice)
    await until(lambda: connected_bot.guilds[0].get_member(int(ada.id)))
    return ada


@pytest.fixture
async def call_desk(connected_bot, discord_server) -> CallDesk:
    world = discord_server.world
    wish = await database_sync_to_async(calls.want)(
        discord_guild_id=int(world.guild.id),
        guild_name=world.guild.name,
        channel=calls.Place(int(world.voice.id), "voice"),
        text_channel=calls.Place(int(world.general.id), "general"),
        actor=None,
    )
    call = AnyCall(
        connected_bot,
        wish.call_id,
        wish.discord_guild_id,
        wish.discord_channel_id,
        wish.discord_text_channel_id,
    )
    return CallDesk(call)
