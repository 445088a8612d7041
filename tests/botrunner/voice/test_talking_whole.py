"""What somebody says is taken whole, or not at all."""

import asyncio

import pytest

from botrunner.voice.playback import Player
from botrunner.voice.talking import MOST_WAITING, TOO_MUCH, Talk
from tests.botrunner.voice.desks import BEGAN, Desk, Dictated
from tests.botrunner.voice.lines import Line, Mouth, settled
from trainerbot.errors import ProviderUnavailable
from trainerbot.speech import Pcm

ADA = 1


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    yield desk
    assert desk.failures == []


@pytest.fixture
async def talk(desk):
    line = Line()
    talk = Talk(desk, Player(synthesize=Mouth(), voice=lambda: line), segmenter=Dictated)
    yield talk
    talk.close()
    await asyncio.wait_for(talk.settle(), 60)


async def frame(talk, kind: bytes, text: str = "") -> None:
    talk.on_frame(ADA, Pcm(kind if kind == BEGAN else kind + b":" + text.encode()))
    await settled()


async def test_who_refuses_in_mid_sentence_is_not_heard_out(talk, desk):
    desk.hears_after.clear()
    await frame(talk, BEGAN)
    await frame(talk, b"paused", "What I said before")

    talk.on_refused(ADA)
    desk.hears_after.set()
    await frame(talk, b"ended", "What I said before")

    await asyncio.wait_for(talk.settle(), 60)
    assert desk.heard == ["What I said before"]
    assert desk.questions == []
    assert talk.speaking == frozenset()


async def test_more_than_can_be_heard_in_time_is_told_and_not_piled_up(talk, desk):
    desk.hears_after.clear()
    for number in range(MOST_WAITING + 3):
        await frame(talk, BEGAN)
        await frame(talk, b"ended", f"Question {number}?")

    assert desk.told == [TOO_MUCH]
    assert len(desk.deafness) == 3
    desk.hears_after.set()
    talk.close()  # nobody is there to play the answers
    await asyncio.wait_for(talk.settle(), 60)
    assert len(desk.questions) == MOST_WAITING


async def test_a_long_speech_that_ends_just_after_a_piece_is_answered_whole(talk, desk):
    await frame(talk, BEGAN)
    await frame(talk, b"cut", "It is a long story")
    await frame(talk, BEGAN)
    await frame(talk, b"cut", "with a question")
    await frame(talk, BEGAN)
    await frame(talk, b"ended", "")

    [question] = desk.questions
    assert question.text == question.words.text == "It is a long story with a question"
    assert desk.told == []


async def test_a_long_speech_of_which_a_piece_failed_is_not_answered_as_if_it_were_all(talk, desk):
    desk.deaf = ProviderUnavailable("Nobody who could listen can be reached just now.")
    await frame(talk, BEGAN)
    await frame(talk, b"cut", "Do not delete")
    desk.deaf = None
    await frame(talk, BEGAN)
    await frame(talk, b"ended", "my file")

    assert desk.questions == []
    assert desk.told == ["Nobody who could listen can be reached just now."]


async def test_a_long_speech_needs_the_name_no_more_than_its_beginning_did(talk, desk):
    await frame(talk, BEGAN)
    await frame(talk, b"ended", "Jarvis")
    desk.present = 2
    await frame(talk, BEGAN)
    await frame(talk, b"cut", "It is a long story")
    talk._speakers[ADA].open_until = 0.0  # half a minute later
    await frame(talk, BEGAN)
    await frame(talk, b"ended", "with a question")

    assert [each.text for each in desk.questions] == ["It is a long story with a question"]
