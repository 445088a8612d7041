"""One turn of a talk on Discord and in the log: access, words, thumbs, records, failures."""

import asyncio

import pytest
from channels.db import database_sync_to_async

from botrunner.cogs.talk.desk import CallDesk
from botrunner.voice.playback import Player
from dashboard.models import (
    AuditEvent,
    GuildSettings,
    Message,
    PlaceSettings,
    SpeechPrice,
    Usage,
    Utterance,
    VoiceCall,
    VoiceSettings,
)
from dashboard.services import places, speech
from dashboard.services.budgets import OverBudget
from dashboard.services.speech import costs
from tests.botrunner.talking import rows
from tests.botrunner.voice.desks import answer, asked
from tests.botrunner.voice.lines import Line, Mouth, tone
from tests.factories import CorrectionFactory
from tests.fakes.openai_endpoint import Reply
from trainerbot.errors import NotAllowed

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = 50  # frames


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
async def player(line):
    return Player(synthesize=Mouth(2.0), voice=lambda: line)


@pytest.fixture
async def desk(call_desk) -> CallDesk:
    return call_desk


async def test_a_question_is_quoted_answered_in_reply_with_thumbs_and_logged(
    desk, player, discord_server, model, ada
):
    model.replies = [Reply(pieces=("At", " nine."))]

    said, _ = await answer(desk, player, asked(ada, said="Jarvis, when do you open?"))

    quotation, reply = discord_server.world.said_by_bot()
    assert quotation.content == "🎙️ **Ada**\n> Jarvis, when do you open?"
    assert reply.content == "At nine."
    assert reply.reply_to == quotation
    assert str(reply.components).count("verdict:") == 2
    assert model.chats[0]["messages"][-1]["content"] == "When do you open?"
    question, logged = await rows(Message.objects.order_by("pk"))
    assert said.question_id == question.pk
    assert (question.content, question.discord_message_id) == (
        "When do you open?",
        int(quotation.id),
    )
    assert (logged.content, logged.discord_message_id) == ("At nine.", int(reply.id))


async def test_the_answer_is_spoken_sentence_by_sentence_as_it_comes(
    desk, player, line, model, ada
):
    model.replies = [Reply(pieces=("At nine. ", "On Sundays at ten."), delay_s=0.01)]

    _, speech = await answer(desk, player, asked(ada))
    await line.wait_for_sound()
    while not speech.is_over:
        line.draw(5)
        await asyncio.sleep(0)

    assert (await speech.over()).text == "At nine. On Sundays at ten."


async def test_what_was_heard_is_recorded_with_its_stages(desk, player, line, model, ada):
    question = asked(ada)
    said, speech = await answer(desk, player, question)
    player.clear()
    heard = await speech.over()

    await desk.record(question, said, heard, {"heard": 250, "first_word": 260, "first_sound": 290})

    [utterance] = await rows(Utterance.objects.all())
    assert utterance.message_id == said.question_id
    assert (utterance.text, utterance.provider) == ("When do you open?", "scripted")
    assert (utterance.spoken, utterance.was_interrupted) == ("", False)
    assert utterance.stages_ms == {"heard": 250, "first_word": 260, "first_sound": 290}
    assert utterance.audio_until is None


async def test_an_interruption_stops_the_model_and_keeps_what_was_said(
    desk, player, line, discord_server, model, ada
):
    pieces = ("At nine. ", *("And so on. " for _ in range(100)))
    model.replies = [Reply(pieces=pieces, delay_s=0.02), Reply(pieces=("Ten.",))]
    question = asked(ada)
    answering = asyncio.create_task(answer(desk, player, question))
    await line.wait_for_sound()
    line.draw(3 * SECOND)

    player.interrupt()
    said, speech = await asyncio.wait_for(answering, 60)
    heard = await speech.over()
    await desk.record(question, said, heard, {})
    await answer(desk, player, asked(ada, "And on Sunday?"))

    assert heard.was_cut
    assert heard.text == "At nine."
    assert len(said.text) < len("".join(pieces)) / 2
    await discord_server.wait_for_reply(containing="-# I was interrupted here.")
    history = [each["content"] for each in model.chats[1]["messages"]]
    assert history[-3:] == ["When do you open?", "At nine.", "And on Sunday?"]


async def test_a_correction_of_the_question_is_spoken_in_its_own_words(
    desk, player, model, discord_server, ada
):
    await database_sync_to_async(CorrectionFactory)(
        approved=True, question="When do you open?", better_answer="At ten."
    )

    said, _ = await answer(desk, player, asked(ada, "when do you open"))

    assert said.text == "At ten."
    assert model.chats == []


async def test_mentions_and_markup_in_what_was_said_do_nothing(
    desk, player, discord_server, model, ada
):
    await answer(desk, player, asked(ada, "@everyone **listen** <@1>"))

    quotation = discord_server.world.said_by_bot()[0]
    assert "@everyone" not in quotation.content
    assert "**listen**" not in quotation.content


async def test_where_the_bot_does_not_answer_it_says_so_and_asks_no_model(
    desk, player, discord_server, model, ada
):
    general = discord_server.world.general

    @database_sync_to_async
    def close() -> None:
        guild = places.guild(int(discord_server.world.guild.id))
        PlaceSettings.objects.create(guild=guild, answers=PlaceSettings.Answers.NOTHING)
        places.forget()

    await close()
    said, speech = await answer(desk, player, asked(ada))

    assert said.question_id is None
    assert model.chats == []
    assert "I do not answer in this channel" in discord_server.world.said_by_bot(general)[0].content
    assert (await asyncio.wait_for(speech.over(), 60)).text == ""


async def test_a_model_that_fails_is_told_and_logged(desk, player, discord_server, model, ada):
    model.default = Reply(status=401, error={"error": {"message": "bad key sk-1"}})

    said, _ = await answer(desk, player, asked(ada))

    reply = discord_server.world.said_by_bot()[-1]
    assert "sk-1" not in reply.content
    assert "reference" in reply.content
    assert said.text == ""
    [logged] = await rows(Message.objects.filter(role="assistant"))
    assert logged.error


async def test_where_it_may_not_write_it_still_speaks(
    desk, player, line, discord_server, model, ada
):
    discord_server.fail_next(403, method="POST", path=".*messages", times=5)

    said, _ = await answer(desk, player, asked(ada))
    await line.wait_for_sound()

    assert said.text == "Hello there."
    assert line.draw(10) == 10
    player.clear()


async def test_a_recording_is_kept_only_where_the_server_says_so(
    desk, player, discord_server, model, ada, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path

    @database_sync_to_async
    def keep_days(days: int) -> None:
        guild = places.guild(int(discord_server.world.guild.id))
        VoiceSettings.objects.update_or_create(guild=guild, defaults={"keeps_audio_days": days})

    for days in (0, 7):
        await keep_days(days)
        question = asked(ada)
        said, speech = await answer(desk, player, question)
        player.clear()
        await desk.record(question, said, await speech.over(), {})

    first, second = await rows(Utterance.objects.order_by("pk").select_related("message"))
    assert not first.message.audio
    assert first.audio_until is None
    with second.message.audio.open() as recording:
        assert recording.read(4) == b"OggS"
    assert second.audio_until is not None


async def test_it_knows_its_names_and_how_many_are_there(desk, discord_server, ada):
    @database_sync_to_async
    def name_it() -> None:
        row = speech.settings_of(int(discord_server.world.guild.id))
        row.wake_name, row.needs_wake_name, row.can_be_interrupted = "Marina", False, False
        speech.save_settings(row, actor=None)

    manners = await desk.manners(int(ada.id))

    assert discord_server.bot.name in manners.names
    assert manners.language == "ru-RU"
    assert manners.needs_name
    assert desk.n_present() == 1

    await name_it()
    manners = await desk.manners(int(ada.id))
    assert manners.names == ("Marina",)
    assert not manners.needs_name
    assert not manners.can_be_interrupted


async def test_who_has_left_the_server_is_not_listened_to(desk):
    with pytest.raises(NotAllowed):
        await desk.manners(12345)


async def test_what_was_not_made_out_is_recorded_with_its_reason(desk, ada):
    await desk.note_deaf(int(ada.id), NotAllowed("You may not."), tone(1.5))

    [utterance] = await rows(Utterance.objects.all())
    assert (utterance.text, utterance.problem) == ("", "You may not.")
    assert utterance.duration_ms == 1500


# --- what costs ---------------------------------------------------------------------------
async def test_whose_budget_is_used_up_is_not_listened_to(desk, discord_server, speech_server, ada):
    @database_sync_to_async
    def close() -> None:
        guild = places.guild(int(discord_server.world.guild.id))
        GuildSettings.objects.create(guild=guild, user_tokens=0)
        places.forget()

    await close()

    with pytest.raises(OverBudget):
        await desk.manners(int(ada.id))
    assert speech_server.heard == []


async def test_what_is_heard_counts_and_where_that_is_paid_nobody_is_heard_early(
    desk, discord_server, speech_server, ada
):
    assert (await desk.manners(int(ada.id))).shows_early
    await desk.hear(int(ada.id), tone(1.5), language="en-US")
    while costs._under_way:
        await asyncio.wait(set(costs._under_way))
    [usage] = await rows(Usage.objects.all())
    assert (usage.discord_user_id, usage.heard_ms) == (None, 1500)

    @database_sync_to_async
    def price() -> None:
        SpeechPrice.objects.create(provider="scripted", heard_usd=1)
        places.forget()

    await price()
    assert not (await desk.manners(int(ada.id))).shows_early


async def test_a_denial_before_anything_was_heard_is_audited(desk, ada):
    await desk.note_deaf(int(ada.id), NotAllowed("You may not."), tone(1.5))

    actions = await rows(AuditEvent.objects.values_list("action", "target"))
    assert ("access.deny", "talk") in actions


async def test_words_that_are_not_final_are_shown_on_the_calls_row(desk):
    await desk.show({7: "When do"})

    [call] = await rows(VoiceCall.objects.all())
    assert call.words == {"7": "When do"}
