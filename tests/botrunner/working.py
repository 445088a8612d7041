"""What tests of commands that need a worker share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import Any

import discord
import pytest
from channels.db import database_sync_to_async
from django.utils.timezone import now

from botrunner import gateway
from botrunner.bot import TrainerBot
from botrunner.progress import Progress
from dashboard.models import Task
from dashboard.services import tasks
from tests.fakes.discord import FakeDiscord, Message


def as_loaded(name: str) -> ModuleType:
    """A module of a cog as the bot has it: when a bot ends, discord.py forgets those of its cogs."""
    return import_module(name)


# The fake names its guild at once; discord.py waits two seconds for more of them.
GUILDS_COME_WITHIN_S = 0.05


async def until_it_knows(client: discord.Client, discord_server: FakeDiscord) -> None:
    """Wait until the guild has come: a busy machine may say "ready" before."""
    async with asyncio.timeout(60):
        while client.get_channel(int(discord_server.world.general.id)) is None:  # noqa: ASYNC110 (no event tells that it is stored)
            await asyncio.sleep(0.005)


@asynccontextmanager
async def online(discord_server: FakeDiscord) -> AsyncIterator[TrainerBot]:
    """The bot itself in this process, without the process around it; needs the fixture `aim`.

    How a command goes is told as soon as it is known: tests/botrunner/test_along.py shows
    that Discord is spared.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Progress.__init__.__kwdefaults__, "interval_s", 0.05)
        bot = TrainerBot(guild_ready_timeout=GUILDS_COME_WITHIN_S)
        gateway.point_at(bot, discord_server.api_base)
        async with bot:
            running = asyncio.create_task(bot.start(discord_server.token))
            await discord_server.wait_until_online()
            await bot.wait_until_ready()
            await until_it_knows(bot, discord_server)
            yield bot
            await bot.in_flight.finish(within_s=5)
        await running


@database_sync_to_async
def _run_next(*, hurry: bool) -> bool:
    if hurry:
        # What is due already stays before what is hurried.
        Task.objects.filter(state=Task.State.READY, run_at__gt=now()).update(run_at=now())
    return tasks.run_next("a worker")


@asynccontextmanager
async def a_worker(*, n_tasks: int = 1000, hurry: bool = False) -> AsyncIterator[None]:
    """Run tasks while the block runs, in the thread that the bot's rows go through as well.

    hurry: also those that wait for their time.
    """

    async def work() -> None:
        n_done = 0
        while n_done < n_tasks:
            n_done += await _run_next(hurry=hurry)
            await asyncio.sleep(0.02)

    working = asyncio.create_task(work())
    try:
        yield
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def give(
    discord_server: FakeDiscord, text: str, name: str, content: bytes, **extra: Any
) -> Message:
    """Let the owner of the bot write `text` with a file attached."""
    file = discord_server.cdn.upload(name, content, "application/octet-stream", **extra)
    return await discord_server.say(discord_server.world.owner, text, attachments=[file])
