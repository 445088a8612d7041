"""While the rows cannot be reached: everybody who asks hears so, whatever way they ask."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from asgiref.sync import SyncToAsync
from django.db import connection, connections

from tests.botrunner.talking import bots_words, say_as_bot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]


@pytest.fixture
def channel(simcord_env):
    return simcord_env.create_guild(name="Testers").create_text_channel("general")


@pytest.fixture
def ada(simcord_env, channel):
    return channel.guild.add_member(simcord_env.create_user("ada"))


@contextmanager
def database_away() -> Iterator[None]:
    at = connection.settings_dict
    before = at["NAME"], at["PORT"]
    at["NAME"], at["PORT"] = "/nowhere/at/all", "1"
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
    try:
        yield
    finally:
        at["NAME"], at["PORT"] = before
        SyncToAsync.single_thread_executor.submit(connections.close_all).result()


def is_told(words: str) -> bool:
    sentences = ("Something went wrong on our side", "The database cannot be reached")
    return words.startswith(sentences) and words.count("\n-# reference `") == 1


@pytest.mark.parametrize("words", ["!hi", "!ask hello", "{me} hello"])
async def test_who_writes_is_told(simcord_env, channel, ada, model, words):
    with database_away():
        await ada.send(channel, words.format(me=simcord_env.bot.user.mention))

    [said] = bots_words(channel)
    assert is_told(said)
    assert simcord_env.errors is not None  # looking at them is how simcord takes note


async def test_who_uses_a_command_by_slash_is_told(simcord_env, channel, ada):
    await simcord_env.bot.tree.sync()

    with database_away():
        result = await ada.slash(channel, "hi")

    assert is_told(result.response.content)
    assert simcord_env.errors is not None


async def test_who_picks_a_menu_is_told(simcord_env, channel, ada):
    await simcord_env.bot.tree.sync()
    message = await say_as_bot(simcord_env, channel)

    with database_away():
        result = await ada.context_menu(channel, "Why this answer?", target=message)

    assert is_told(result.response.content)
    assert simcord_env.errors is not None
