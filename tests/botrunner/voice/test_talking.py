"""A talk in a call: who is answered, in which order, and what ends an answer."""

import asyncio

import pytest

from botrunner.voice.desk import Manners
from botrunner.voice.talking import Talk
from dashboard.services.budgets import OverBudget
from tests.botrunner.voice.desks import BEGAN, WENT, Desk, Dictated
from tests.botrunner.voice.lines import settled, until
from trainerbot.errors import ProviderUnavailable
from trainerbot.speech import Pcm

ADA, BOB = 1, 2


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    yield desk
    assert desk.failures == []


@pytest.fixture
async def talk(desk, player):
    talk = Talk(desk, player, segmenter=Dictated)
    yield talk
    talk.close()
    await asyncio.wait_for(talk.settle(), 60)


def frame(talk, who, kind: bytes, text: str = "") -> None:
    talk.on_frame(
        who, Pcm(kind + b":" + text.encode() if text or kind not in (BEGAN, WENT) else kind)
    )


async def say(talk, who, text: str) -> None:
    """Say something, in one go, with all that the segmenter tells of it."""
    frame(talk, who, BEGAN)
    frame(talk, who, b"paused", text)
    await settled()
    frame(talk, who, b"ended", text)
    await settled()


async def spoken(line) -> None:
    """Play whatever is said to its end."""
    await line.wait_for_sound()
    await line.play_out()
    await settled()


# --- one person ---------------------------------------------------------------------------
async def test_who_is_alone_with_it_is_answered_aloud(talk, desk, line, mouth):
    await say(talk, ADA, "When do you open?")
    await spoken(line)

    assert [each.text for each in desk.questions] == ["When do you open?"]
    assert mouth.asked == ["You said: When do you open?"]
    assert mouth.languages == ["en-US"]
    [(question, answer, heard, stages)] = desk.records
    assert (question.discord_user_id, answer.question_id) == (ADA, 1)
    assert heard.is_whole
    assert heard.text == answer.text
    assert set(stages) == {"heard", "first_word", "first_sound"}
    assert 200 <= stages["heard"] <= stages["first_word"] <= stages["first_sound"]


async def test_what_was_heard_at_the_pause_is_not_heard_twice(talk, desk, line):
    await say(talk, ADA, "When do you open?")
    await spoken(line)

    assert desk.heard == ["When do you open?"]


async def test_who_goes_on_after_a_pause_is_heard_to_the_end(talk, desk, line):
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"paused", "When do")
    await settled()
    frame(talk, ADA, b"ended", "When do you open?")
    await spoken(line)

    assert [each.text for each in desk.questions] == ["When do you open?"]


async def test_who_speaks_on_after_a_finished_sentence_is_answered_once_aloud(
    talk, desk, line, mouth
):
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"paused", "When do you open?")
    await until(lambda: desk.questions)
    frame(talk, ADA, b"ended", "When do you open? On Sundays?")
    await line.play_until(lambda: len(desk.records) == 2)

    assert [heard.was_cut for _, _, heard, _ in desk.records] == [True, False]
    assert desk.questions[1].text == "When do you open? On Sundays?"


async def test_who_speaks_on_and_pauses_again_is_answered_once_aloud(talk, desk, line):
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"paused", "When do you open?")
    await until(lambda: desk.questions)
    frame(talk, ADA, b"resumed")
    frame(talk, ADA, b"paused", "When do you open? On Sundays?")
    await until(lambda: len(desk.questions) == 2)
    frame(talk, ADA, b"ended", "When do you open? On Sundays?")
    await line.play_until(lambda: len(desk.records) == 2)

    assert [heard.was_cut for _, _, heard, _ in desk.records] == [True, False]
    assert desk.questions[1].text == "When do you open? On Sundays?"


async def test_a_sentence_whose_words_are_known_while_they_speak_on_is_not_all(talk, desk, line):
    desk.hears_after.clear()
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"paused", "When do you open?")
    await settled()
    frame(talk, ADA, b"resumed")
    desk.hears_after.set()
    await settled()
    assert desk.heard == ["When do you open?"]
    assert desk.questions == []

    frame(talk, ADA, b"ended", "When do you open? On Sundays?")
    await spoken(line)
    assert [each.text for each in desk.questions] == ["When do you open? On Sundays?"]


async def test_a_finished_sentence_ends_the_turn_and_an_unfinished_one_waits(talk):
    frame(talk, ADA, BEGAN)
    for text in ("When do", "When do you open and", "When do you open?"):
        frame(talk, ADA, b"paused", text)
        await settled()

    segmenter = talk._listener._segmenters[ADA]
    assert segmenter.hints == [False, True]


async def test_a_speech_that_is_too_long_for_one_piece_is_one_question(talk, desk, line):
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"cut", "It is a long story")
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"ended", "and a good one.")
    await spoken(line)

    assert [each.text for each in desk.questions] == ["It is a long story and a good one."]


# --- several people -----------------------------------------------------------------------
async def test_with_others_present_it_answers_only_who_calls_it(talk, desk, line):
    desk.present = 2
    await say(talk, ADA, "When do you open?")
    await say(talk, BOB, "Jarvis, who are you?")
    await spoken(line)

    assert [(each.discord_user_id, each.text) for each in desk.questions] == [(BOB, "who are you?")]
    assert desk.told == []


async def test_where_no_name_is_wanted_it_answers_everybody(talk, desk, line):
    desk.present, desk.is_at = 2, Manners(names=["Jarvis"], needs_name=False)
    await say(talk, ADA, "When do you open?")
    await spoken(line)

    assert len(desk.questions) == 1


async def test_a_follow_up_needs_no_name(talk, desk, line):
    desk.present = 2
    await say(talk, ADA, "Jarvis, when do you open?")
    await spoken(line)
    await until(lambda: desk.records)
    await say(talk, ADA, "And on Sunday?")
    await say(talk, BOB, "I am tired.")
    await spoken(line)

    assert [each.text for each in desk.questions] == ["when do you open?", "And on Sunday?"]


async def test_who_only_calls_it_may_then_ask_without_its_name(talk, desk, line):
    desk.present = 2
    await say(talk, ADA, "Jarvis!")
    await say(talk, ADA, "When do you open?")
    await spoken(line)

    assert [each.text for each in desk.questions] == ["When do you open?"]


async def test_several_people_are_answered_one_after_the_other(talk, desk, line, player):
    desk.is_at, desk.present = Manners(names=["Jarvis"], needs_name=False), 2
    for who, text in [(ADA, "One?"), (ADA, "Two?"), (BOB, "Three?")]:
        await say(talk, who, text)
    await until(lambda: len(desk.questions) == 3)
    player.hold()
    await until(lambda: player.n_ready == 3)
    player.release()
    await line.play_until(lambda: len(desk.records) == 3)

    assert [each[0].text for each in desk.records] == ["One?", "Three?", "Two?"]
    assert all(heard.is_whole for _, _, heard, _ in desk.records)


async def test_a_person_is_answered_one_question_at_a_time(talk, desk, line):
    desk.answers_after.clear()
    await say(talk, ADA, "One?")
    await say(talk, ADA, "Two?")
    assert [each.text for each in desk.questions] == ["One?"]

    desk.answers_after.set()
    await until(lambda: len(desk.questions) == 2)
    await spoken(line)


# --- what goes wrong --------------------------------------------------------------------------
@pytest.mark.origin(43)
async def test_what_could_not_be_heard_is_told_and_never_asked(talk, desk):
    desk.deaf = ProviderUnavailable("Nobody who hears can be reached.")

    await say(talk, ADA, "When do you open?")
    await say(talk, ADA, "Hello?")

    assert desk.questions == []
    assert desk.told == ["Nobody who hears can be reached."]  # once
    assert desk.deafness == 2 * [(ADA, "Nobody who hears can be reached.")]


async def test_a_sound_without_words_is_told_to_who_is_alone_with_it(talk, desk):
    await say(talk, ADA, "")

    assert len(desk.told) == 1
    assert desk.told[0].startswith("No words could be made out.")


async def test_a_sound_without_words_among_people_is_nobodys_business(talk, desk):
    desk.present = 3
    await say(talk, ADA, "")

    assert desk.told == []


@pytest.mark.origin(44)
async def test_when_its_voice_fails_the_answer_is_still_written_and_the_reason_told(
    talk, desk, mouth
):
    mouth.dies_at = 1
    await say(talk, ADA, "When do you open?")
    await until(lambda: desk.records)
    await settled()

    assert desk.records[0][1].text == "You said: When do you open?"
    assert desk.records[0][2].text == ""
    assert len(desk.told) == 1


@pytest.mark.origin(47)
async def test_after_it_was_closed_it_says_nothing_and_hears_nothing(talk, desk, line):
    desk.answers_after.clear()
    await say(talk, ADA, "When do you open?")
    talk.close()
    desk.answers_after.set()
    await say(talk, ADA, "Are you there?")
    await asyncio.wait_for(talk.settle(), 60)

    assert len(desk.questions) == 1
    assert len(desk.records) == 1  # it is written all the same
    assert line.n_plays == 0


async def test_words_that_come_after_it_was_closed_leave_the_player_to_the_next_call(
    talk, desk, player
):
    desk.hears_after.clear()
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"cut", "It is a long story")
    await settled()

    talk.close()
    desk.hears_after.set()
    await asyncio.wait_for(talk.settle(), 5)

    assert not player.is_held


# --- who goes -------------------------------------------------------------------------------
async def test_who_leaves_in_mid_sentence_is_not_answered(talk, desk):
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"cut", "It is a long story")
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"paused", "and a good one and")
    await settled()

    talk.on_left(ADA)
    frame(talk, ADA, b"ended", "and a good one and")  # the silence after they have gone
    await settled()

    assert desk.questions == []
    assert talk.speaking == frozenset()


async def test_who_asked_and_leaves_is_still_answered_in_writing(talk, desk):
    desk.answers_after.clear()
    await say(talk, ADA, "When do you open?")
    await say(talk, ADA, "And on Sunday?")
    talk.on_left(ADA)
    desk.answers_after.set()
    await until(lambda: len(desk.questions) == 2)


async def test_a_connection_that_breaks_ends_what_was_being_said(talk, desk, line):
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"paused", "When do you open and")
    await settled()

    talk.on_lost()
    assert talk.speaking == frozenset()
    assert talk._listener._segmenters == {}
    await say(talk, ADA, "Who are you?")
    await spoken(line)

    assert [each.text for each in desk.questions] == ["Who are you?"]


async def test_among_people_who_has_no_budget_is_told_once_since_nobody_hears_them_call(talk, desk):
    desk.present, desk.is_at = 3, OverBudget("Sorry, you have used up your budget.")
    for _ in range(3):
        await say(talk, ADA, "Jarvis, when do you open?")

    assert desk.heard == []
    assert desk.told == ["Sorry, you have used up your budget."]
    assert desk.deafness == []  # who knows whom they spoke to
