"""What is kept of a call: its file, once."""

import asyncio
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.core.files.storage import default_storage
from django.db import transaction

from botrunner.cogs.talk import desk
from dashboard.models import Utterance
from dashboard.services import chat, consent, conversations, speech, utterances
from dashboard.services.utterances import Sound
from tests.dashboard.services.test_hopping import waiting_together
from tests.factories import QuestionFactory

pytestmark = pytest.mark.django_db(transaction=True)


@database_sync_to_async
def said() -> Utterance:
    talk = conversations.for_discord(
        guild_id=1,
        guild_name="Testers",
        channel_id=11,
        channel_name="general",
        discord_user_id=7,
        user_name="ada",
    )
    row = speech.settings_of(1)
    row.keeps_audio_days = 3
    speech.save_settings(row, actor=None)
    return utterances.log_sound(
        question=QuestionFactory(conversation=talk),
        person=talk.discord_user,
        sound=Sound("hello", "en-US", "google"),
    )


@chat.hop
@transaction.atomic(savepoint=False)
def undo_all_that_goes_with_it() -> None:
    raise ValueError("Not this one.")


async def test_what_goes_wrong_beside_it_leaves_no_second_file():
    utterance, before = await said(), set(consent._files())

    async with waiting_together():
        units: list[Any] = [
            asyncio.ensure_future(desk.keep(utterance.pk, b"OggS", 3)),
            undo_all_that_goes_with_it(),
            chat.hop(chat.rules)(),
        ]
        await asyncio.sleep(0)
    await asyncio.gather(*units, return_exceptions=True)

    made = set(consent._files()) - before
    assert len(made) == 1
    default_storage.delete(made.pop())
