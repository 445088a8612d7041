import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import discord
import pytest
from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route

from botrunner import gateway
from tests.fakes.discord import FakeDiscord

Aim = Callable[[discord.Client, FakeDiscord], discord.Client]
Connect = Callable[[discord.Client, FakeDiscord], Awaitable[None]]


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as fake:
        yield fake


@pytest.fixture
def aim(monkeypatch: pytest.MonkeyPatch) -> Aim:
    """Point a client at a fake, until the end of the test."""
    for owner, name in ((Route, "BASE"), (DiscordWebSocket, "DEFAULT_GATEWAY"), (Asset, "BASE")):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # so that it is put back

    def aim(client: discord.Client, fake: FakeDiscord) -> discord.Client:
        gateway.point_at(client, fake.api_base)
        return client

    return aim


@pytest.fixture
async def connect(aim: Aim) -> AsyncIterator[Connect]:
    """Log a client in at a fake, and out again at the end."""
    running: list[tuple[discord.Client, asyncio.Task[None]]] = []

    async def connect(client: discord.Client, fake: FakeDiscord) -> None:
        task = asyncio.create_task(aim(client, fake).start(fake.token))
        running.append((client, task))
        await fake.wait_until_online()
        await client.wait_until_ready()

    yield connect
    for client, task in running:
        await client.close()
        await task
