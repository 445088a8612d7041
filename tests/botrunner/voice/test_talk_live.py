"""A talk over sockets, end-to-end encrypted: a voice goes in, an answer comes out."""

import pytest
from channels.db import database_sync_to_async

from dashboard.models import Utterance, VoiceSettings
from dashboard.services import speech
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


@pytest.mark.origin(44)
@pytest.mark.origin(46)
async def test_who_speaks_is_heard_answered_aloud_and_in_writing(aim, fake, model, speech_server):
    model.replies = [Reply(pieces=("At nine. ", "On Sundays at ten."))]
    ada = fake.add_user("Ada")

    async with in_a_call(fake, ada) as room:
        await fake.voice.speak(ada, voiced(1.0))
        await until(lambda: len(room.sound()) > 20)
        await fake.wait_for_reply(containing="On Sundays at ten.")
        await room.talk.settle()
        assert room.call.client.is_connected()  # an answer ends no call

    assert [each.text for each in speech_server.spoken] == ["At nine.", "On Sundays at ten."]
    quotation = next(said for said in fake.world.said_by_bot() if "Ada" in said.content)
    assert quotation.content == "🎙️ **Ada**\n> When does the library open?"
    [utterance] = await rows(Utterance.objects.all())
    assert set(utterance.stages_ms) == {"heard", "first_word", "first_sound"}
    assert utterance.spoken


async def test_who_speaks_over_it_silences_it_and_is_answered(aim, fake, model, speech_server):
    speech_server.script.words = lambda duration_ms: "No, on Sundays!"
    speech_server.script.lasts_s = 5.0  # it is in the midst of it, also on a busy machine
    model.replies = [Reply(pieces=("It goes on. " * 40,)), Reply(pieces=("At ten.",))]
    ada, more = fake.add_user("Ada"), voiced(1.0, seed=1)

    async with in_a_call(fake, ada) as room:
        await fake.voice.speak(ada, voiced(1.0))
        await until(lambda: len(room.sound()) > 20)
        await fake.voice.speak(ada, more)
        await until(lambda: speech_server.spoken[-1].text == "At ten.")
        await fake.wait_for_reply(containing="At ten.")

    first, second = await rows(Utterance.objects.order_by("pk"))
    assert first.was_interrupted
    assert first.spoken in "It goes on. " * 40
    said = [each["content"] for each in model.chats[1]["messages"]]
    assert said[-2] in (first.spoken, "[interrupted before a word of it was heard]")
    assert second.text == "No, on Sundays!"


async def test_who_writes_from_within_the_call_is_also_answered_there(
    aim, fake, model, speech_server
):
    @database_sync_to_async
    def speak_always() -> None:
        row = speech.settings_of(int(fake.world.guild.id))
        row.speaks = VoiceSettings.Speaks.ALWAYS
        speech.save_settings(row, actor=None)

    ada, bob = fake.add_user("Ada"), fake.add_user("Bob")
    async with in_a_call(fake, ada) as room:
        await speak_always()
        asked = await fake.say(ada, f"{fake.bot.mention} When do you open?")
        answer = await fake.wait_for_reply(to=asked, containing="Hello there.")
        await until(lambda: len(room.sound()) > 5)
        assert not fake.world.said_by_bot()[-1].attachments

        asked = await fake.say(bob, f"{fake.bot.mention} When do you open?")
        await fake.until(
            lambda: any(said.attachments for said in fake.world.said_by_bot()),
            "who is not in the call gets a voice message",
        )
    assert answer.content == "Hello there."


@pytest.mark.origin(39)
async def test_while_it_listens_thinks_and_speaks_others_are_answered(
    aim, fake, model, speech_server
):
    async def greet(name: str) -> None:
        channel = (await fake.dm(fake.add_user(name), "!hi")).channel
        await fake.wait_for_reply(channel=channel, containing="HI!")

    ada, goes_on = fake.add_user("Ada"), speech_server.script.goes_on
    model.replies = [Reply(pieces=("At nine.",), delay_s=0.3)]

    async with in_a_call(fake, ada) as room:
        goes_on.clear()
        await fake.voice.speak(ada, voiced(1.0))
        await until(lambda: speech_server.heard)
        await greet("Grace")
        goes_on.set()
        await until(lambda: model.chats)
        goes_on.clear()
        await greet("Mary")
        await until(lambda: speech_server.spoken)
        await greet("Joan")
        assert room.sound() == []
        goes_on.set()
        await until(lambda: len(room.sound()) > 5)
