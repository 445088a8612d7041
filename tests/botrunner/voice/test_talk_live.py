"""A talk over sockets, end-to-end encrypted: a voice goes in, an answer comes out."""

import pytest

from dashboard.models import Utterance
from tests.botrunner.talking import rows
from tests.botrunner.voice.calling import in_a_call, voiced
from tests.botrunner.voice.lines import until
from tests.fakes.discord import FakeDiscord
from tests.fakes.openai_endpoint import Reply

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def fake():
    async with FakeDiscord(dave=1) as fake:
        yield fake


async def test_who_speaks_is_heard_answered_aloud_and_in_writing(aim, fake, model, speech_server):
    model.replies = [Reply(pieces=("At nine. ", "On Sundays at ten."))]
    ada = fake.add_user("Ada")

    async with in_a_call(fake, ada) as room:
        await fake.voice.speak(ada, voiced(1.0))
        await until(lambda: len(room.sound()) > 20)
        await fake.wait_for_reply(containing="On Sundays at ten.")

    assert [each.text for each in speech_server.spoken] == ["At nine.", "On Sundays at ten."]
    quotation = next(said for said in fake.world.said_by_bot() if "Ada" in said.content)
    assert quotation.content == "🎙️ **Ada**\n> When does the library open?"
    [utterance] = await rows(Utterance.objects.all())
    assert set(utterance.stages_ms) == {"heard", "first_word", "first_sound"}
    assert utterance.spoken
