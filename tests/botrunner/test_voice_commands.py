"""join and leave, against a Discord with voice over real sockets."""

import subprocess
import sys

import discord
import pytest

from botrunner.cogs import voice
from botrunner.voice.playback import player_of
from tests.botrunner.running import ROOT, environ
from tests.fakes.discord.world import ChannelType
from trainerbot.errors import ProviderUnavailable

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(discord_server):
    return discord_server.add_user("Ada")


@pytest.fixture
async def speaking(bot, discord_server):
    """A bot on a machine that has all that voice needs."""
    process, _ = bot
    await discord_server.until(lambda: process.bot.is_ready(), "it is ready")
    process.bot.voice_problem = ""
    return process.bot


async def after(discord_server, who, text) -> str:
    """What the bot says next, after `who` has said `text` in #general."""
    world = discord_server.world
    n = len(world.said_by_bot(world.general))
    await discord_server.say(who, text)
    answers = await discord_server.until(
        lambda: world.said_by_bot(world.general)[n:], f"an answer to {text}", 20.0
    )
    return answers[0].content


async def test_it_joins_its_asker_and_leaves_again(speaking, discord_server, ada):
    await discord_server.voice.sit(ada, discord_server.world.voice)

    words = await after(discord_server, ada, "!join")

    assert words.splitlines()[0] == "Joined voice"
    assert "`/listen off`" in words
    assert [client.channel.name for client in speaking.voice_clients] == ["voice"]
    assert await after(discord_server, ada, "!leave") == "Disconnected from the voice channel."
    assert speaking.voice_clients == []


@pytest.mark.origin(47)
async def test_asked_twice_it_stays_and_says_so(speaking, discord_server, ada):
    await discord_server.voice.sit(ada, discord_server.world.voice)
    await after(discord_server, ada, "!join")

    assert (await after(discord_server, ada, "!join")).startswith("Joined voice\n")
    assert len(speaking.voice_clients) == 1


@pytest.mark.origin(47)
async def test_asked_from_another_channel_it_moves(bot, speaking, discord_server, ada):
    await discord_server.voice.sit(ada, discord_server.world.voice)
    await after(discord_server, ada, "!join")
    other = discord_server.world.add_channel("other", ChannelType.VOICE)
    await discord_server.add_to_guild(other)
    await discord_server.voice.sit(ada, other)

    assert (await after(discord_server, ada, "!join")).startswith("Joined other\n")
    assert [client.channel.name for client in speaking.voice_clients] == ["other"]


@pytest.mark.origin(47)
async def test_who_leaves_takes_back_what_was_still_to_be_said(speaking, discord_server, ada):
    await discord_server.voice.sit(ada, discord_server.world.voice)
    await after(discord_server, ada, "!join")
    [guild] = speaking.guilds
    player = player_of(speaking, guild.id)
    # Nothing is played yet: neither has words.
    said = [player.begin(language="en") for _ in range(2)]

    await after(discord_server, ada, "!leave")

    assert [speech.is_over for speech in said] == [True, True]


async def test_who_is_in_no_voice_channel_is_told(speaking, discord_server, ada):
    assert await after(discord_server, ada, "!join") == "You are not in a voice channel."
    assert await after(discord_server, ada, "!leave") == "I am not in a voice channel."


async def test_a_direct_message_has_no_voice(speaking, discord_server, ada):
    asked = await discord_server.dm(ada, "!join")

    answer = await discord_server.wait_for_reply(channel=asked.channel)

    assert answer.content == "You are not in a voice channel."


async def test_without_permission_to_connect_it_says_what_is_missing(speaking, discord_server, ada):
    await discord_server.voice.sit(ada, discord_server.world.voice)
    await discord_server.forbid(discord_server.world.voice, discord.Permissions.connect.flag)

    words = await after(discord_server, ada, "!join")

    assert words.startswith("I may not connect to voice.")


@pytest.mark.origin(3)
async def test_without_its_libraries_voice_is_off_in_words_and_text_works(
    speaking, discord_server, ada
):
    speaking.voice_problem = "davey is not installed: pip install 'discord.py[voice]'."
    await discord_server.voice.sit(ada, discord_server.world.voice)

    words = await after(discord_server, ada, "!join")

    assert words.startswith("Voice is switched off on this bot")
    assert await after(discord_server, ada, "!hi") == "HI!"


@pytest.mark.origin(3)
def test_without_davey_voice_is_off_and_nothing_else_fails(tmp_path):
    """In a process of its own, since discord.py looks for its libraries when it is imported."""
    program = """
import asyncio, sys
sys.modules["davey"] = None
import django
django.setup()
from botrunner.bot import EXTENSIONS, TrainerBot

async def main():
    async with TrainerBot() as bot:
        for extension in EXTENSIONS:
            await bot.load_extension(extension)
        print(bot.voice_problem, bot.get_cog("Voice").supervisor)

asyncio.run(main())
"""
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environ(tmp_path, DJANGO_SETTINGS_MODULE="trainerbot.settings"),
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.startswith("davey is not installed")
    assert said.stdout.endswith("None\n")


@pytest.mark.origin(3)
def test_without_pynacl_that_is_named(monkeypatch):
    monkeypatch.setattr(voice.voice_client, "has_nacl", False)

    assert voice.voice_problem().startswith("PyNaCl is not installed")


@pytest.mark.origin(3)
def test_without_libopus_that_is_named(monkeypatch):
    monkeypatch.setattr(voice.opus, "load", missing_opus)

    assert "libopus" in voice.voice_problem()


def missing_opus() -> None:
    raise ProviderUnavailable("The library libopus is missing.")
