"""What somebody says to the bot is shown while they say it; what they say to others never is."""

import asyncio

import pytest

from botrunner.voice.desk import Manners
from botrunner.voice.talking import Talk
from tests.botrunner.voice.desks import BEGAN, Desk, Dictated
from tests.botrunner.voice.lines import settled, until
from tests.botrunner.voice.test_talking import ADA, BOB, frame, say
from trainerbot.errors import ProviderUnavailable


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@pytest.fixture
async def talk(desk, player):
    talk = Talk(desk, player, segmenter=Dictated)
    yield talk
    talk.close()
    await asyncio.wait_for(talk.settle(), 60)
    assert desk.failures == []


async def test_words_are_shown_before_the_end_of_speech_and_gone_once_they_are_a_question(
    talk, desk
):
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"grew", "When do")
    await until(lambda: desk.shown)
    assert desk.shown == [{ADA: "When do"}]
    assert desk.questions == []

    frame(talk, ADA, b"ended", "When do you open?")
    await until(lambda: desk.shown[-1] == {})
    assert [each.text for each in desk.questions] == ["When do you open?"]


async def test_words_at_a_pause_are_shown_while_they_may_go_on(talk, desk):
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"paused", "When do you open and")
    await until(lambda: desk.shown)

    assert desk.shown == [{ADA: "When do you open and"}]


async def test_a_sentence_that_is_over_is_a_question_at_once_and_no_glimpse(talk, desk):
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"paused", "When do you open?")
    await until(lambda: desk.questions)
    await settled()

    assert desk.shown == []


async def test_of_a_speech_in_pieces_all_that_was_said_is_shown(talk, desk):
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"cut", "It is a long story")
    await settled()
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"grew", "and a good")
    await until(lambda: desk.shown)

    assert desk.shown[-1] == {ADA: "It is a long story and a good"}


async def test_what_is_said_to_others_is_never_shown(talk, desk):
    desk.present = 2
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"grew", "Between you and me,")
    await settled()
    frame(talk, ADA, b"paused", "Between you and me, it is awful and")
    await settled()
    frame(talk, ADA, b"paused", "Between you and me, it is awful and dear.")
    await settled()
    frame(talk, ADA, b"ended", "Between you and me, it is awful and dear.")
    await settled()

    assert desk.heard
    assert desk.shown == []


async def test_among_people_it_is_shown_of_who_calls_it_and_of_who_was_just_called(talk, desk):
    desk.present = 2
    await say(talk, BOB, "Jarvis!")
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"grew", "Jarvis, when do")
    await settled()
    frame(talk, BOB, BEGAN)
    frame(talk, BOB, b"grew", "And on")
    await until(lambda: len(desk.shown) > 1)

    assert desk.shown[-1] == {ADA: "Jarvis, when do", BOB: "And on"}


async def test_one_is_heard_early_at_a_time_and_none_while_others_wait_to_be_heard(talk, desk):
    desk.hears_after.clear()
    for who in (ADA, BOB):
        frame(talk, who, BEGAN)
        frame(talk, who, b"grew", f"I am {who} and")
    await settled()
    assert desk.heard == [f"I am {ADA} and"]

    frame(talk, BOB, b"paused", "I am Bob and so")
    frame(talk, ADA, b"grew", "I am Ada and so on and")
    await settled()
    assert desk.heard == [f"I am {ADA} and", "I am Bob and so"]
    desk.hears_after.set()


async def test_where_hearing_costs_nobody_is_heard_before_their_end(talk, desk):
    desk.is_at = Manners(names=["Jarvis"], shows_early=False)
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"grew", "When do")
    await settled()

    assert desk.heard == []


async def test_words_that_come_after_the_end_are_not_shown(talk, desk):
    desk.hears_after.clear()
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"grew", "When do")
    await settled()
    frame(talk, ADA, b"ended", "When do you open?")
    await settled()
    desk.hears_after.set()
    await until(lambda: desk.questions)
    await settled()

    assert desk.shown == []


async def test_early_words_that_are_not_made_out_are_nobodys_business(talk, desk):
    desk.deaf = ProviderUnavailable("Nobody who hears can be reached.")
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"grew", "When do")
    await settled()

    assert (desk.told, desk.shown) == ([], [])


@pytest.mark.parametrize("goes", ["on_left", "on_refused"])
async def test_nothing_is_shown_any_more_of_who_has_left_or_refuses(talk, desk, goes):
    frame(talk, ADA, BEGAN)
    frame(talk, ADA, b"grew", "When do")
    await until(lambda: desk.shown)

    getattr(talk, goes)(ADA)

    await until(lambda: desk.shown[-1] == {})
