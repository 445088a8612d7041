"""The greeting, the instruction and the dashboard's address."""

import re

import pytest
from discord.ext import commands
from pytest_django import Settings

from botrunner.cogs.general import NO_ADDRESS
from botrunner.people import requires
from dashboard.services.access import Permission
from tests.botrunner.roles import add_member
from tests.botrunner.talking import bots_words, grant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]


@pytest.fixture
def channel(simcord_env):
    return simcord_env.create_guild(name="Testers").create_text_channel("general")


@pytest.fixture
def ada(simcord_env, channel):
    return channel.guild.add_member(simcord_env.create_user("ada"))


@pytest.mark.origin(8)
async def test_hi_is_greeted_by_both_kinds_of_command(simcord_env, channel, ada):
    await simcord_env.bot.tree.sync()

    await ada.send(channel, "!hi")
    result = await ada.slash(channel, "hi")

    assert bots_words(channel)[0] == "HI!"
    assert result.response.content == "HI!"


@pytest.mark.origin(16)
async def test_the_instruction_lists_every_command_that_one_may_use(simcord_env, channel, ada):
    await ada.send(channel, "!instruction")

    text = "\n".join(bots_words(channel))
    assert text.startswith("# How to use this bot")
    for name in ("hi", "instruction", "correct [message_id] <better answer>", "privacy delete"):
        assert f"`{name}`" in text
    assert all(len(part) <= 2000 for part in bots_words(channel))


@pytest.mark.origin(16)
async def test_the_instruction_is_ordered_under_words_for_people(simcord_env, channel):
    adam = await add_member(simcord_env, channel.guild, "adam", grants="admin")

    await adam.send(channel, "!instruction")

    titles = re.findall(r"^\*\*(.+?)\*\*$", "\n".join(bots_words(channel)), re.MULTILINE)
    assert titles == [
        *("About you", "Chat", "General", "Library", "Models"),
        *("Teaching", "Testing", "Training", "Voice"),
    ]


@pytest.mark.origin(16)
async def test_the_instruction_is_made_from_the_command_table(simcord_env, channel, ada):
    @simcord_env.bot.command(description="Was never here before", usage="<что>")
    async def новое(context: commands.Context) -> None: ...

    await ada.send(channel, "!instruction")

    assert "`новое <что>` Was never here before" in "\n".join(bots_words(channel))


async def test_the_instruction_leaves_out_what_one_may_not_use(simcord_env, channel, ada):
    role = channel.guild.create_role("teachers")
    await grant(channel.guild, role, "trainer")
    grace = channel.guild.add_member(simcord_env.create_user("grace"), roles=[role])

    @simcord_env.bot.command()
    @requires(Permission.REVIEW)
    async def teach(context: commands.Context) -> None: ...

    await ada.send(channel, "!instruction")
    told_ada = "\n".join(bots_words(channel))
    await grace.send(channel, "!instruction")

    assert "`teach`" not in told_ada
    assert "`teach`" in "\n".join(bots_words(channel))


async def test_the_dashboards_address_is_told_where_one_is_set(channel, ada, settings: Settings):
    settings.CSRF_TRUSTED_ORIGINS = []
    await ada.send(channel, "!dashboard")
    settings.CSRF_TRUSTED_ORIGINS = ["https://bot.example.org"]
    await ada.send(channel, "!dashboard")

    assert bots_words(channel) == [
        NO_ADDRESS,
        "The dashboard is here: <https://bot.example.org>",
    ]
