import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route
from pytest_django import Settings

from botrunner.bot import TrainerBot
from botrunner.cogs.places import Places
from botrunner.process import BotProcess
from dashboard.services import bot as bots
from dashboard.services import providers
from tests.botrunner.forking import Forks
from tests.botrunner.running import Installation, Running
from tests.botrunner.working import GUILDS_COME_WITHIN_S, as_loaded, online
from tests.fakes.discord import FakeDiscord
from tests.fakes.openai_endpoint import API_KEY, FakeOpenAI
from trainerbot.llm.providers import aiohttp_transport

RunBot = Callable[..., tuple[BotProcess, asyncio.Task[bool]]]
StartBot = Callable[..., Awaitable[Running]]


# --- a model that says what the test wants ------------------------------------------
@pytest.fixture
def endpoint() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as endpoint:
        yield endpoint


@pytest.fixture
async def model(
    endpoint: FakeOpenAI, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeOpenAI]:
    """Let the services of this process ask that endpoint."""
    # simcord waits for every timer that is due within its settle_timeout, so
    # for that of a kept connection, too.
    monkeypatch.setattr(aiohttp_transport, "KEPT_ALIVE_S", 3600.0)
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = endpoint.base_url, API_KEY
    settings.CHAT_MODEL = "small"
    yield endpoint
    await providers.close_clients()


# --- the bot in a simulated Discord ---------------------------------------------------
class HastyBot(TrainerBot):
    """Tells of new channels at once: else each would keep its test waiting for a second."""

    async def setup_hook(self) -> None:
        await super().setup_hook()
        cast("Places", self.get_cog("Places")).spacing_s = 0.0
        # As the process around the bot does, so that what is tested is what Discord knows.
        await self.tree.sync()


@pytest.fixture
def simcord_bot(monkeypatch: pytest.MonkeyPatch) -> TrainerBot:
    # simcord waits for every timer that is due within its settle_timeout, so
    # for each look at a job that never ends, too.
    monkeypatch.setattr(as_loaded("botrunner.cogs.training.watching"), "SPACING_S", 60.0)
    monkeypatch.setattr(as_loaded("botrunner.cogs.training.watching"), "LOOK_EVERY_S", 60.0)
    return HastyBot()


# --- the bot over sockets, in this process --------------------------------------------
class HastyProcess(BotProcess):
    """Waits for no more guilds than the fake names at once: discord.py would for two seconds."""

    def _new_bot(self, *, message_content: bool) -> TrainerBot:
        bot = super()._new_bot(message_content=message_content)
        bot._connection.guild_ready_timeout = GUILDS_COME_WITHIN_S
        return bot


@pytest.fixture
def aim(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what `gateway.point_at` changes for the whole process end with the test."""
    for owner, name in ((Route, "BASE"), (DiscordWebSocket, "DEFAULT_GATEWAY"), (Asset, "BASE")):
        monkeypatch.setattr(owner, name, getattr(owner, name))


@pytest.fixture
def identifies_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a bot that follows another one not wait for its turn: test_connection.py shows that."""
    monkeypatch.setattr(bots.gateway, "PACE", timedelta(0))


@pytest.fixture
async def run_bot(aim: None, discord_server: FakeDiscord) -> AsyncIterator[RunBot]:
    """Start the bot, and end it with the test."""
    running: list[tuple[BotProcess, asyncio.Task[bool]]] = []

    def run_bot(*, drain_s: float = 5.0, **more: Any) -> tuple[BotProcess, asyncio.Task[bool]]:
        process = HastyProcess(
            token=discord_server.token, api_base=discord_server.api_base, drain_s=drain_s, **more
        )
        running.append((process, asyncio.create_task(process.run())))
        return running[-1]

    yield run_bot
    for process, end in running:
        process.wishes.ask_to_stop()
        await asyncio.gather(end, return_exceptions=True)  # the test has seen how it ended


@pytest.fixture
async def connected_bot(aim: None, discord_server: FakeDiscord) -> AsyncIterator[TrainerBot]:
    """The bot itself, without the process around it, online."""
    async with online(discord_server) as bot:
        yield bot


@pytest.fixture
async def bot(
    run_bot: RunBot, discord_server: FakeDiscord, model: FakeOpenAI
) -> tuple[BotProcess, asyncio.Task[bool]]:
    running = run_bot()
    await discord_server.wait_until_online()
    return running


# --- the bot in a process of its own, and a Discord over sockets ------------------------
@pytest.fixture
async def discord_server() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as fake:
        yield fake


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    forks = Forks()
    yield forks
    forks.close()


@pytest.fixture
def installation(
    tmp_path: Path,
    migrated_database: Path,
    discord_server: FakeDiscord,
    endpoint: FakeOpenAI,
    forks: Forks,
) -> Installation:
    """A new data folder whose processes meet the fake Discord and the fake endpoint."""
    shutil.copy(migrated_database, tmp_path)
    model = {"OPENAI_BASE_URL": endpoint.base_url, "OPENAI_API_KEY": API_KEY}
    return Installation(tmp_path, {**discord_server.environ, **model}, forks)


@pytest.fixture
async def start_bot(installation: Installation) -> AsyncIterator[StartBot]:
    """Start `manage.py runbot` processes, none of which outlives the test."""
    started: list[Running] = []

    async def start_bot(*arguments: str, **settings: str) -> Running:
        installation.end_turn_to_identify()
        running = await installation.start("runbot", *arguments, **settings)
        started.append(running)
        return running

    yield start_bot
    for running in started:
        await running.kill()


@pytest.fixture
def channel(simcord_env):
    return simcord_env.create_guild(name="Testers").create_text_channel("general")


@pytest.fixture
def ada(simcord_env, channel):
    return channel.guild.add_member(simcord_env.create_user("ada"))
