# ruff: noqa: RUF001 (words of two scripts)
"""A talk in a call in which people speak while the bot does: what ends its answer."""

import asyncio

import pytest

from botrunner.voice.desk import Manners
from botrunner.voice.talking import Talk
from tests.botrunner.voice.desks import BEGAN, WENT, Desk, Dictated
from tests.botrunner.voice.lines import settled, tone, until
from tests.botrunner.voice.test_talking import ADA, BOB, frame, say, spoken


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


async def answering(
    talk, desk, line, mouth, text="It is a long answer that goes on and on."
) -> None:
    mouth.sound = tone(2.0)
    desk.answers = lambda question: text
    await say(talk, ADA, "When do you open?")
    await line.wait_for_sound()
    assert line.draw(50) == 50


async def test_real_speech_silences_it_with_the_next_frame(talk, desk, line, mouth):
    await answering(talk, desk, line, mouth)

    frame(talk, ADA, BEGAN)
    await settled()

    assert line.draw(20) == 0


async def test_what_was_heard_before_an_interruption_is_recorded(talk, desk, line, mouth):
    await answering(talk, desk, line, mouth)
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, WENT)
    await settled()
    await until(lambda: desk.records)

    [(_, _, heard, _)] = desk.records
    assert heard.was_cut
    assert heard.text == "It is a long answer"


async def test_mm_hm_does_not_end_the_answer(talk, desk, line, mouth):
    await answering(talk, desk, line, mouth)

    await say(talk, ADA, "Mm-hm.")
    await line.play_out()
    await until(lambda: desk.records)

    [(_, _, heard, _)] = desk.records
    assert heard.is_whole
    assert len(desk.questions) == 1


async def test_a_cough_does_not_end_the_answer(talk, desk, line, mouth):
    await answering(talk, desk, line, mouth)

    await say(talk, BOB, "")
    await line.play_out()
    await until(lambda: desk.records)

    assert desk.records[0][2].is_whole


async def test_a_short_word_ends_the_answer_and_is_answered(talk, desk, line, mouth):
    await answering(talk, desk, line, mouth)

    await say(talk, ADA, "Why?")
    await until(lambda: len(desk.questions) == 2)

    assert desk.records[0][2].was_cut
    await spoken(line)


@pytest.mark.parametrize("text", ["Stop!", "Стоп.", "That's enough"])
async def test_who_says_stop_wants_no_answer_to_that(talk, desk, line, mouth, text):
    await answering(talk, desk, line, mouth)

    await say(talk, ADA, text)
    await until(lambda: desk.records)
    await talk.settle()

    assert desk.records[0][2].was_cut
    assert len(desk.questions) == 1
    assert line.draw(20) == 0


@pytest.mark.parametrize(("text", "ends"), [("Why?", True), ("Mm-hm.", False)])
async def test_words_that_are_known_long_after_the_speech_decide_as_well(
    talk, desk, line, mouth, text, ends
):
    await answering(talk, desk, line, mouth)
    desk.hears_after.clear()
    await say(talk, ADA, text)

    desk.hears_after.set()
    await line.play_until(lambda: desk.records)

    assert desk.records[0][2].was_cut is ends
    await until(lambda: len(desk.questions) == (2 if ends else 1))


async def test_the_next_question_is_asked_after_it_is_known_what_was_heard(talk, desk, line, mouth):
    await answering(talk, desk, line, mouth)
    known: list[int] = []
    desk.answers = lambda question: known.append(len(desk.records)) or "Well."

    frame(talk, ADA, BEGAN)
    frame(talk, ADA, WENT)
    frame(talk, ADA, b"ended", "No, I meant Sunday.")
    await until(lambda: len(desk.questions) == 2)
    await spoken(line)

    assert known == [1]


# --- among several people -------------------------------------------------------------------
async def among_several(talk, desk, line, mouth) -> None:
    """Let it answer Ada while Bob is there, too."""
    await answering(talk, desk, line, mouth)
    desk.present = 2


async def test_what_others_say_to_each_other_makes_it_wait_and_not_end(talk, desk, line, mouth):
    await among_several(talk, desk, line, mouth)

    frame(talk, BOB, BEGAN)
    frame(talk, BOB, WENT)
    frame(talk, BOB, b"paused", "I think we should go there on Sunday.")
    await settled()
    assert line.draw(20) == 0
    frame(talk, BOB, b"ended", "I think we should go there on Sunday.")
    await line.play_out()
    await until(lambda: desk.records)

    assert desk.records[0][2].is_whole
    assert len(desk.questions) == 1


async def test_a_short_word_to_others_does_not_end_it(talk, desk, line, mouth):
    await among_several(talk, desk, line, mouth)

    await say(talk, BOB, "Bless you!")
    await line.play_out()
    await until(lambda: desk.records)

    assert desk.records[0][2].is_whole


async def test_whoever_asked_has_the_word_among_several_too(talk, desk, line, mouth):
    await among_several(talk, desk, line, mouth)

    frame(talk, ADA, BEGAN)
    frame(talk, ADA, WENT)
    await until(lambda: desk.records)

    assert desk.records[0][2].was_cut


async def test_whoever_calls_it_has_the_word(talk, desk, line, mouth):
    await among_several(talk, desk, line, mouth)

    frame(talk, BOB, BEGAN)
    frame(talk, BOB, WENT)
    frame(talk, BOB, b"paused", "Jarvis, and on Sundays?")
    await until(lambda: len(desk.questions) == 2)

    assert desk.records[0][2].was_cut
    assert desk.questions[1].discord_user_id == BOB


@pytest.mark.parametrize("text", ["Stop!", "Стоп, стоп!", "Please be quiet.", "Ну хватит уже"])
async def test_stop_ends_it_whoever_says_so(talk, desk, line, mouth, text):
    await among_several(talk, desk, line, mouth)

    await say(talk, BOB, text)
    await until(lambda: desk.records)

    assert desk.records[0][2].was_cut
    assert len(desk.questions) == 1


async def test_where_no_name_is_needed_anybody_has_the_word(talk, desk, line, mouth):
    desk.is_at = Manners(names=["Jarvis"], needs_name=False)
    await among_several(talk, desk, line, mouth)

    frame(talk, BOB, BEGAN)
    await settled()
    frame(talk, BOB, WENT)
    await until(lambda: desk.records)

    assert desk.records[0][2].was_cut


async def test_where_it_may_not_be_interrupted_it_speaks_on(talk, desk, line, mouth):
    desk.is_at = Manners(names=["Jarvis"], can_be_interrupted=False)
    await answering(talk, desk, line, mouth)
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, WENT)
    await settled()

    assert line.draw(20) == 20
    await spoken(line)


async def test_what_was_heard_is_told_while_it_is_said(desk, player, line, mouth):
    talk = Talk(desk, player, segmenter=Dictated, noted_every_s=0.001)
    await answering(talk, desk, line, mouth)

    await until(lambda: desk.noted)

    assert desk.records == []
    assert desk.noted[-1] == "It is a long answer"
    talk.close()
    await asyncio.wait_for(talk.settle(), 60)


async def test_once_nobody_is_there_nothing_more_was_heard(talk, desk, line, mouth):
    await answering(talk, desk, line, mouth)

    desk.present = 0
    talk.on_left(ADA)
    await until(lambda: desk.records)

    [(_, answer, heard, _)] = desk.records
    assert (heard.text, heard.was_cut) == ("It is a long answer", False)
    assert answer.was_broken_off(heard)


async def test_the_sound_of_an_interrupted_answer_is_not_kept(talk, desk, line, mouth):
    await answering(talk, desk, line, mouth)
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, WENT)
    await until(lambda: desk.records)
    await settled()

    assert talk._speakers[ADA].last is None
