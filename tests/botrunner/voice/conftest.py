"""A bot in a call at the fake, without the process around it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import discord
import pytest

from botrunner import gateway
from botrunner.voice.connection import ReceivingClient
from botrunner.voice.playback import Player
from tests.botrunner.voice.lines import Line, Mouth, settled
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
