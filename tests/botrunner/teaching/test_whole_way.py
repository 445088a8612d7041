"""From a wrong answer to the mended one, over real sockets and through the outbox."""

import pytest
from channels.db import database_sync_to_async

from dashboard.models import Correction
from dashboard.services import corrections
from tests.factories import UserFactory
from tests.fakes.openai_endpoint import Reply

pytestmark = pytest.mark.django_db(transaction=True)


@database_sync_to_async
def approve_on_the_dashboard() -> Correction:
    return corrections.approve(
        correction=Correction.objects.get(), reviewer=UserFactory(username="boss")
    )


async def test_a_correction_approved_on_the_dashboard_mends_the_answer_and_gives_the_next(
    bot, discord_server, model
):
    ada = discord_server.add_user("Ada")
    mention = discord_server.bot.mention
    model.default = Reply(pieces=("Lyon.",))
    asked = await discord_server.say(ada, f"{mention} What is the capital of France?")
    wrong = await discord_server.wait_for_reply(to=asked, containing="Lyon.")
    await discord_server.say(ada, "!correct Paris.", reply_to=wrong)
    await discord_server.wait_for_reply(containing="It waits for a trainer")

    correction = await approve_on_the_dashboard()

    told = await discord_server.wait_for_reply(to=wrong, containing="is in force.")
    assert wrong.content == f"Paris.\n-# corrected · #{correction.pk}"
    assert told.content.startswith("Thanks, Ada")
    again = await discord_server.say(ada, f"{mention} what is the capital of france")
    await discord_server.wait_for_reply(to=again, containing="Paris.")
