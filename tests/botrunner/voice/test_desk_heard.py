"""What a later turn knows of an answer in a call: what was heard, or what was got in writing."""

import pytest
from channels.db import database_sync_to_async

from botrunner.cogs.talk.desk import CallDesk
from dashboard.models import Utterance
from dashboard.services import conversations
from tests.botrunner.talking import rows
from tests.botrunner.voice.desks import answer, asked
from tests.botrunner.voice.lines import Mouth, tone
from tests.fakes.openai_endpoint import Reply

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = 50  # frames


@pytest.fixture
async def mouth() -> Mouth:
    return Mouth(2.0)


@pytest.fixture
async def desk(call_desk) -> CallDesk:
    return call_desk


PARTS = ("At nine in the morning. ", "On Sundays at ten.")


async def history(desk, player, model, ada) -> list[str]:
    """Ask again; what the model is told of the talk before."""
    model.replies = [Reply(pieces=("Well.",))]
    await answer(desk, player, asked(ada, "And then?"))
    return [each["content"] for each in model.chats[-1]["messages"]][-3:-1]


async def test_of_an_answer_in_which_the_call_ended_only_what_was_heard_was_said(
    desk, player, line, discord_server, model, ada
):
    model.replies = [Reply(pieces=PARTS)]
    question = asked(ada)
    said, speech = await answer(desk, player, question)
    await line.wait_for_sound()
    line.draw(int(2.2 * SECOND))

    player.clear()  # as when the call ends: by /leave, or since the bot was removed
    await desk.record(question, said, await speech.over(), {})

    [utterance] = await rows(Utterance.objects.all())
    assert (utterance.spoken, utterance.was_interrupted) == ("At nine in the morning.", True)
    assert "".join(PARTS) in discord_server.world.said_by_bot()[-1].content
    assert await history(desk, player, model, ada) == [question.text, "At nine in the morning."]


@pytest.mark.parametrize(
    ("seconds", "known"), [(0, "".join(PARTS)), (2.2, "At nine in the morning.")]
)
async def test_of_an_answer_in_which_the_process_was_killed_what_was_noted_was_said(
    desk, player, line, model, ada, seconds, known
):
    model.replies = [Reply(pieces=PARTS)]
    question = asked(ada)
    said, speech = await answer(desk, player, question)
    await line.wait_for_sound()
    line.draw(int(seconds * SECOND))

    await desk.note_heard(said, speech.heard())

    # Of what nobody heard a word of all stands in writing.
    assert await history(desk, player, model, ada) == [question.text, known]


@pytest.mark.parametrize("is_posted", [True, False], ids=["posted", "refused"])
async def test_where_its_voice_failed_all_was_said_if_it_stands_in_writing(
    desk, player, mouth, line, discord_server, model, ada, is_posted
):
    mouth.dies_at = 2
    model.replies = [Reply(pieces=PARTS)]
    if not is_posted:
        discord_server.fail_next(403, method="POST", path=".*messages", times=5)
    question = asked(ada)
    said, speech = await answer(desk, player, question)
    await line.wait_for_sound()
    await line.play_out()
    heard = await speech.over()
    await desk.record(question, said, heard, {})

    assert (heard.text, bool(heard.problem)) == ("At nine in the morning.", True)
    got = "".join(PARTS) if is_posted else "At nine in the morning."
    mouth.dies_at = 1
    assert await history(desk, player, model, ada) == [question.text, got]


async def test_an_answer_after_the_end_of_a_call_is_one_in_writing(
    desk, player, discord_server, model, ada
):
    model.replies = [Reply(pieces=PARTS)]
    question = asked(ada)
    speech = player.begin(asker_id=question.discord_user_id, language="en-US")
    speech.finish()
    said = await desk.answer(question, speech)
    await desk.record(question, said, await speech.over(), {})

    assert await history(desk, player, model, ada) == [question.text, "".join(PARTS)]


async def test_a_long_answer_whose_end_was_not_spoken_was_said_as_far_as_it_was(
    desk, player, mouth, line, model, ada
):
    mouth.sound = tone(0.05)
    sentence = "It is so long a sentence that fifteen hundred characters are full of it. "
    model.replies = [Reply(pieces=(sentence * 40,))]
    question = asked(ada)
    said, speech = await answer(desk, player, question)
    await line.play_until(lambda: speech.is_over)
    await desk.record(question, said, await speech.over(), {})

    _, told = await history(desk, player, model, ada)
    assert told == " ".join([sentence.strip()] * 20)


async def test_who_resets_in_the_middle_of_an_answer_begins_anew(desk, player, line, model, ada):
    model.replies = [Reply(pieces=PARTS)]
    question = asked(ada)
    said, speech = await answer(desk, player, question)
    await line.wait_for_sound()
    line.draw(SECOND)
    channel_ids = [desk._text_channel_id]
    await database_sync_to_async(conversations.forget)(
        discord_user_id=int(ada.id), channel_ids=channel_ids
    )

    player.interrupt()
    await desk.record(question, said, await speech.over(), {})

    assert question.text not in await history(desk, player, model, ada)
