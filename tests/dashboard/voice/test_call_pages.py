"""Calls as they happen: who speaks, what was said, how soon it was answered."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.utils.timezone import now

from dashboard.services import calls
from dashboard.views.calls import UTTERANCES_A_PAGE
from tests.factories import (
    AnswerFactory,
    DiscordUserFactory,
    QuestionFactory,
    UserFactory,
    UtteranceFactory,
    VoiceCallFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def trainer(client):
    client.force_login(UserFactory(trainer=True))
    return client


def page(client, path: str) -> str:
    return client.get(path).content.decode()


def test_the_list_shows_calls_with_their_state_and_what_is_wrong(trainer):
    running = VoiceCallFactory(problem="I cannot hear: I am deafened here.")
    VoiceCallFactory(ended=True, started_at=now() - timedelta(minutes=3, seconds=5))
    UtteranceFactory.create_batch(2, call=running)

    shown = page(trainer, "/calls/")

    assert "I cannot hear: I am deafened here." in shown
    assert "2 times spoken" in shown
    assert "In the call" in shown
    assert "3 min 5 s" in shown
    assert "Everybody had left." in shown


def test_without_any_call_the_list_says_how_to_begin_one(trainer):
    assert "Say /join to the bot" in page(trainer, "/calls/")


def test_the_list_costs_the_same_however_many_calls_there_are(
    trainer, django_assert_max_num_queries
):
    for call in VoiceCallFactory.create_batch(12):
        UtteranceFactory(call=call)

    with django_assert_max_num_queries(12):
        page(trainer, "/calls/rows/")


def test_who_is_in_the_call_and_who_speaks(trainer):
    ada, grace = DiscordUserFactory(name="Ada"), DiscordUserFactory(name="Grace")
    call = VoiceCallFactory()
    calls.report(
        call.pk,
        figures={
            "speaking": [str(ada.discord_user_id)],
            "people": [str(ada.discord_user_id), str(grace.discord_user_id), "77"],
            "is_end_to_end": True,
            "latency_ms": 31,
            "packets_lost": 4,
        },
    )

    shown = page(trainer, f"/calls/{call.pk}/state/")

    assert shown.index("Ada") < shown.index("speaks") < shown.index("Grace")
    assert shown.count("speaks") == 1
    assert "Somebody new" in shown
    assert "31 ms" in shown
    assert "Packets lost" in shown


def test_a_call_that_is_over_shows_nobody_and_asks_no_more(trainer):
    ada = DiscordUserFactory(name="Ada")
    call = VoiceCallFactory(ended=True, figures={"people": [str(ada.discord_user_id)]})

    shown = page(trainer, f"/calls/{call.pk}/")

    assert "Ada" not in shown
    assert "data-follows=" not in shown


def test_a_question_that_is_being_answered_says_so_and_its_page_awaits_the_answer(trainer):
    question = QuestionFactory()
    row = UtteranceFactory(message=question)

    open_ = page(trainer, f"/calls/{row.call_id}/said/")
    AnswerFactory(conversation=question.conversation, reply_to=question)
    answered = page(trainer, f"/calls/{row.call_id}/said/")

    assert "Answering" in open_
    assert f" conversations:{question.conversation_id}" in open_
    assert "Answering" not in answered
    assert " conversations:" not in answered.partition("data-follows=")[2].partition(">")[0]


@pytest.mark.parametrize("figures", [{}, {"speaking": None, "people": ["x", -1]}, {"a": [1]}])
def test_figures_that_are_none_break_no_page(trainer, figures):
    call = VoiceCallFactory(figures=figures)

    assert trainer.get(f"/calls/{call.pk}/").status_code == 200


def test_what_was_said_comes_newest_first_with_its_answer_to_be_corrected(trainer):
    call = VoiceCallFactory()
    question = QuestionFactory(conversation__user=None)
    answer = AnswerFactory(conversation=question.conversation, reply_to=question)
    UtteranceFactory(call=call, text="Bot, when <b>does</b> it open?", message=question)
    UtteranceFactory(call=call, text="Nice weather.")

    shown = page(trainer, f"/calls/{call.pk}/said/")

    assert shown.index("Nice weather.") < shown.index("Bot, when &lt;b&gt;does&lt;/b&gt; it open?")
    assert "It never closes." in shown
    assert f"/answers/{answer.pk}/correct/" in shown
    assert shown.count("no question") == 1
    assert "heard by PocketSphinx" in shown


def test_stages_are_told_in_their_order(trainer):
    row = UtteranceFactory(stages_ms={"first_sound": 900, "heard": 120, "first_word": 450})

    shown = page(trainer, f"/calls/{row.call_id}/said/")

    assert shown.index("understood 120 ms") < shown.index("first word 450 ms")
    assert shown.index("first word 450 ms") < shown.index("first sound 900 ms")


def test_an_interrupted_answer_tells_how_much_of_it_was_heard(trainer):
    question = QuestionFactory()
    AnswerFactory(conversation=question.conversation, reply_to=question)
    row = UtteranceFactory(message=question, spoken="It never", was_interrupted=True)

    shown = page(trainer, f"/calls/{row.call_id}/said/")

    assert "Not heard to its end. Heard of it:" in shown
    assert ">It never</span>" in shown


def test_why_nothing_was_made_out_is_told(trainer):
    row = UtteranceFactory(text="", problem="Nobody who could listen can be reached just now.")

    shown = page(trainer, f"/calls/{row.call_id}/said/")

    assert "Nobody who could listen can be reached just now." in shown
    assert "no question" not in shown


def test_there_is_a_player_only_where_the_recording_is_kept(trainer):
    question = QuestionFactory()
    row = UtteranceFactory(message=question)
    silent = page(trainer, f"/calls/{row.call_id}/said/")
    question.audio.save("sound.ogg", ContentFile(b"OggS"))

    shown = page(trainer, f"/calls/{row.call_id}/said/")

    assert "<audio" not in silent
    assert f'src="/speech/recordings/{question.pk}/"' in shown


def test_a_long_call_has_pages(trainer):
    call = VoiceCallFactory()
    rows = UtteranceFactory.create_batch(UTTERANCES_A_PAGE + 1, call=call)

    first = page(trainer, f"/calls/{call.pk}/")
    second = page(trainer, f"/calls/{call.pk}/?after={rows[1].pk}")

    assert f'id="utterance-{rows[0].pk}"' not in first
    assert f'id="utterance-{rows[0].pk}"' in second
    assert f'href="/calls/{call.pk}/?after={rows[1].pk}"' in first


def test_calls_that_go_on_stand_on_the_page_of_the_bot(trainer):
    call = VoiceCallFactory(problem="I cannot hear.")
    VoiceCallFactory(ended=True)

    shown = page(trainer, "/bot/")

    assert f'href="/calls/{call.pk}/"' in shown
    assert "I cannot hear." in shown
    assert "Everybody had left." not in shown


def test_a_spoken_question_says_so_in_its_conversation(trainer):
    question = QuestionFactory(conversation__user=None)
    AnswerFactory(conversation=question.conversation, reply_to=question)
    UtteranceFactory(call=None, message=question, spoken="It never closes.")

    shown = page(trainer, f"/conversations/{question.conversation_id}/")

    assert "Heard by PocketSphinx" in shown
    assert shown.count("spoken") >= 2


def test_a_sound_without_words_says_why_in_its_conversation(trainer):
    question = QuestionFactory(content="")
    UtteranceFactory(call=None, message=question, text="", problem="No words in it.")

    assert "No words in it." in page(trainer, f"/conversations/{question.conversation_id}/")


def test_what_somebody_is_saying_to_the_bot_is_shown_as_not_final(trainer):
    ada, call = DiscordUserFactory(name="Ada"), VoiceCallFactory()
    calls.show_words(call.pk, {ada.discord_user_id: "When do <you>", 77: "And"})

    whole, part = page(trainer, f"/calls/{call.pk}/"), page(trainer, f"/calls/{call.pk}/words/")

    assert 'aria-live="polite"' in whole
    for shown in (whole, part):
        assert "Ada is saying" in shown
        assert "When do &lt;you&gt;…" in shown
        assert "Somebody new is saying" in shown

    calls.show_words(call.pk, {})
    assert "is saying" not in page(trainer, f"/calls/{call.pk}/words/")


def test_of_a_call_that_is_over_nobody_is_saying_anything(trainer):
    call = VoiceCallFactory(ended=True, words={"77": "When do"})

    assert "is saying" not in page(trainer, f"/calls/{call.pk}/")
