"""Whoever has everything about them erased while they are being answered."""

import asyncio

import pytest
from channels.db import database_sync_to_async

from dashboard.models import Message, Usage
from dashboard.services import privacy
from tests.botrunner.talking import bots_words, rows
from tests.fakes.openai_endpoint import Reply, error_body

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]
SLOW = Reply(pieces=("One", " two", " three."), delay_s=0.2)
BROKEN = Reply(pieces=("One", " two"), delay_s=0.2, fault=error_body("overloaded"))


@pytest.mark.parametrize(("reply", "beginning"), [(SLOW, "One two three."), (BROKEN, "One two")])
async def test_the_answer_comes_and_nothing_is_logged(simcord_env, model, reply, beginning):
    channel = simcord_env.create_guild(name="Testers").create_text_channel("general")
    ada = channel.guild.add_member(simcord_env.create_user("ada"))
    model.default = reply

    async def erase() -> None:
        while not model.chats:  # noqa: ASYNC110 (the endpoint wakes nobody up)
            await asyncio.sleep(0.01)
        await database_sync_to_async(privacy.erase)(ada.id, corrections_too=True)

    erasing = asyncio.create_task(erase())
    await ada.send(channel, f"{simcord_env.bot.user.mention} Count.")
    await erasing

    [answer] = bots_words(channel)
    assert answer.startswith(beginning)
    assert "database" not in answer
    assert await rows(Message.objects.all()) == []
    assert await rows(Usage.objects.all()) == []
