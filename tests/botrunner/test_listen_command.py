"""`listen`: whether the bot may hear somebody, theirs to say."""

import pytest
from channels.db import database_sync_to_async

from dashboard.services import consent
from tests.botrunner.talking import bots_words

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]


@pytest.fixture
def channel(simcord_env):
    return simcord_env.create_guild(name="Testers").create_text_channel("general")


@pytest.fixture
def ada(simcord_env, channel):
    return channel.guild.add_member(simcord_env.create_user("ada"))


is_heard = database_sync_to_async(consent.is_heard)


async def test_whoever_says_off_is_not_listened_to_until_they_say_on(channel, ada):
    await ada.send(channel, "!listen")
    await ada.send(channel, "!listen off")
    heard = await is_heard(ada.id)
    await ada.send(channel, "!privacy")
    await ada.send(channel, "!listen ON")

    said = bots_words(channel)
    assert said[0].startswith("I listen to you in the calls that I am in.")
    assert said[1].startswith("I do not listen to you in calls, and keep no recording of you.")
    assert "- Listening to you in calls: off (`/listen`)" in said[2]
    assert said[3] == said[0]
    assert (heard, await is_heard(ada.id)) == (False, True)


async def test_another_word_is_answered_with_how_to_use_it(simcord_env, channel, ada):
    await ada.send(channel, "!listen maybe")

    assert bots_words(channel)[0].startswith("Use it like this: `!listen [on|off]`")
    assert len(simcord_env.errors) == 1
    assert await is_heard(ada.id)
