"""/link and /unlink: who somebody is on the dashboard, said so that only they read it."""

import pytest
from channels.db import database_sync_to_async

from botrunner.cogs import linking
from dashboard.models import DiscordLink
from dashboard.services import links
from tests.botrunner.talking import bots_words
from tests.factories import UserFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.simcord(settle_timeout=30, check_errors=False),
]


@pytest.fixture
async def code():
    return await database_sync_to_async(lambda: links.make_code(UserFactory(username="grace")))()


async def test_a_slashed_code_links_and_only_the_asker_reads_it(simcord_env, channel, ada, code):
    await simcord_env.bot.tree.sync()

    done = await ada.slash(channel, "link", code=code)
    state = await ada.slash(channel, "link")
    ended = await ada.slash(channel, "unlink")

    said = [each.response for each in (done, state, ended)]
    assert all(each.ephemeral for each in said)
    assert [each.content for each in said] == [
        linking.linked("grace"),
        linking.state("grace"),
        linking.unlinked("grace"),
    ]
    assert not await DiscordLink.objects.aexists()


async def test_a_typed_code_is_answered_directly(channel, ada, code):
    await ada.send(channel, f"!link {code}")

    assert bots_words(channel) == [linking.SENT_DIRECTLY]
    [said] = ada.user.dm_channel.history()
    assert said.content == linking.linked("grace")


async def test_where_direct_messages_are_closed_no_account_is_named(
    simcord_env, channel, ada, code
):
    simcord_env.inject_error("POST", "/users/@me/channels", status=403, code=50007)

    await ada.send(channel, f"!link {code}")

    assert bots_words(channel) == [linking.CANNOT_WRITE]
    assert await DiscordLink.objects.aexists()


async def test_without_a_link_it_says_how_to_make_one(simcord_env, channel, ada):
    await simcord_env.bot.tree.sync()

    for name, said in (("link", linking.HOW), ("unlink", links.NOT_LINKED)):
        result = await ada.slash(channel, name)
        assert result.response.ephemeral
        assert result.response.content.startswith(said)


async def test_a_wrong_code_is_refused_in_words(channel, ada):
    for _ in range(links.MOST_TRIES + 1):
        await ada.send(channel, "!link AAAA-AAAA")

    *wrong, last = bots_words(channel)
    assert all(words.startswith(links.WRONG) for words in wrong)
    assert last.startswith(links.TOO_OFTEN)
