"""join and leave, against a Discord with voice over real sockets."""

import discord
import pytest

from botrunner.cogs import voice
from tests.fakes.discord.world import ChannelType

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


async def test_asked_twice_it_stays_and_says_so(speaking, discord_server, ada):
    await discord_server.voice.sit(ada, discord_server.world.voice)
    await after(discord_server, ada, "!join")

    assert (await after(discord_server, ada, "!join")).startswith("Joined voice\n")
    assert len(speaking.voice_clients) == 1


async def test_asked_from_another_channel_it_moves(bot, speaking, discord_server, ada):
    await discord_server.voice.sit(ada, discord_server.world.voice)
    await after(discord_server, ada, "!join")
    other = discord_server.world.add_channel("other", ChannelType.VOICE)
    await discord_server.add_to_guild(other)
    await discord_server.voice.sit(ada, other)

    assert (await after(discord_server, ada, "!join")).startswith("Joined other\n")
    assert [client.channel.name for client in speaking.voice_clients] == ["other"]


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
@pytest.mark.parametrize(
    ("lacks", "words"), [("warn_nacl", "PyNaCl is not installed"), ("warn_dave", "davey is not")]
)
def test_what_voice_lacks_is_named(monkeypatch, lacks, words):
    monkeypatch.setattr(voice.VoiceClient, lacks, True)

    assert words in voice.voice_problem()
