# ruff: noqa: RUF001 (words of two scripts)
"""What is said over an answer, by a real voice: a hum lets it go on, a word of one's own ends it."""

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest

from botrunner.voice.endings import is_stop
from botrunner.voice.talking import Talk
from dashboard.services.speech import Heard as Words
from tests.botrunner.voice.desks import Desk
from tests.botrunner.voice.lines import Line, settled, tone, until
from tests.botrunner.voice.test_talking import ADA
from trainerbot.speech import Pcm, Synthesizer
from trainerbot.speech.audio import resampled
from trainerbot.speech.contracts import HEARD_RATE_HZ
from trainerbot.speech.registry import open_synthesizer
from trainerbot.speech.segmenting import FRAME_BYTES, Segmenter, SpeechBegan, SpeechResumed

LANGUAGES = ("en-US", "ru-RU")
HUMS = [
    *[("en-US", said) for said in ("mm-hm", "mhm", "uh-huh", "yeah", "I see", "yeah, right")],
    *[("ru-RU", said) for said in ("угу", "ага", "да-да, понятно")],
]
INTERRUPTIONS = [
    *[("en-US", said) for said in ("stop", "wait a moment", "no, I meant on Sundays", "why?")],
    *[("ru-RU", said) for said in ("стоп", "подожди секунду")],
]
LONG = "It is a long answer that goes on and on."


@pytest.fixture(scope="module")
def voice() -> Iterator[Synthesizer]:
    opened = open_synthesizer("espeak", {})
    yield opened
    opened.close()


class Hears(Desk):
    """Makes out what a test says, whatever the sound: one of `says` each time, the last for good."""

    says = ("",)

    async def hear(self, discord_user_id: int, sound: Pcm, *, language: str) -> Words:
        await self.hears_after.wait()
        text, *rest = self.says
        self.says = tuple(rest) or (text,)
        return Words(text, "en-US", "scripted", sound.duration_s)


@pytest.fixture
async def desk() -> Hears:
    desk = Hears()
    desk.answers = lambda question: LONG
    return desk


@pytest.fixture
async def talk(desk, player, mouth, line, voice):
    """A talk in which a long answer is being heard; one of its two seconds is over."""
    mouth.sound = tone(2.0)
    talk = Talk(desk, player)
    desk.says = ("When do you open?",)
    await speak(talk, said(voice, "When do you open?", "en-US"))
    await line.wait_for_sound()
    assert line.draw(50) == 50
    yield talk
    talk.close()
    await asyncio.wait_for(talk.settle(), 5)
    assert desk.failures == []


def said(voice: Synthesizer, text: str, language: str) -> list[Pcm]:
    """The frames of somebody who says `text`, and is silent then."""
    sound = resampled(voice.synthesize(text, language=language), HEARD_RATE_HZ).data
    sound = bytes(HEARD_RATE_HZ // 4) + sound + bytes(2 * HEARD_RATE_HZ)
    return [
        Pcm(sound[at : at + FRAME_BYTES])
        for at in range(0, len(sound) - FRAME_BYTES + 1, FRAME_BYTES)
    ]


async def speak(talk: Talk, frames: list[Pcm], line: Line | None = None) -> list[bool]:
    """Say it, and draw a frame of the answer for each; which of those were heard."""
    heard = []
    for frame in frames:
        talk.on_frame(ADA, frame)
        await settled()
        heard.append(bool(line and line.draw()))
    return heard


@pytest.mark.parametrize(("language", "text"), HUMS)
async def test_after_a_hum_with_a_real_voice_the_answer_goes_on_to_its_end(
    talk, desk, line, voice, language, text
):
    desk.says = (text,)

    heard = await speak(talk, said(voice, text, language), line)
    await line.play_out()
    await until(lambda: desk.records)

    assert False in heard  # it falls silent until it knows better
    [(_, _, whole, _)] = desk.records
    assert (whole.is_whole, whole.was_cut, whole.text) == (True, False, LONG)
    assert len(desk.questions) == 1


@pytest.mark.parametrize(("language", "text"), INTERRUPTIONS)
async def test_a_word_of_ones_own_with_a_real_voice_ends_the_answer(
    talk, desk, line, voice, language, text
):
    desk.says = (text,)

    await speak(talk, said(voice, text, language), line)
    # Who only wants silence has got it.
    asks = [] if is_stop(text) else [text]
    await until(lambda: desk.records and len(desk.questions) > len(asks))
    await settled()

    assert desk.records[0][2].was_cut
    assert LONG.startswith(desk.records[0][2].text)
    assert [each.text for each in desk.questions[1:]] == asks


async def test_who_goes_on_for_long_needs_no_words_to_end_the_answer(talk, desk, line, voice):
    text = "no, I meant what is open on Sundays in the evening"
    desk.hears_after.clear()

    await speak(talk, said(voice, text, "en-US")[:110], line)

    assert talk._player.speech is None
    desk.hears_after.set()


@pytest.mark.parametrize(("language", "text"), HUMS + INTERRUPTIONS)
async def test_it_falls_silent_within_200_ms_of_a_real_voice(voice, language, text):
    frames = said(voice, text, language)
    samples = np.abs(np.frombuffer(b"".join(frame.data for frame in frames), "<i2"))
    begins_ms = 1000 * np.flatnonzero(samples > samples.max() / 10)[0] / HEARD_RATE_HZ
    segmenter = Segmenter()

    events = [event for frame in frames for event in segmenter.feed(frame)]

    [began] = (event for event in events if isinstance(event, SpeechBegan))
    assert began.at_ms - begins_ms <= 180  # and 20 are left for the way there


async def test_who_hums_and_then_goes_on_is_yielded_to_at_once_again(talk, desk, line, voice):
    desk.says = ("Mm-hm", "Mm-hm, but wait a moment please.")
    hum, words = said(voice, "mm-hm", "en-US"), said(voice, "wait a moment please", "en-US")
    segmenter = Segmenter()
    pauses = hum[: len(hum) - 30]  # four tenths of a second of silence
    spoken = [*pauses, *words[6:]]
    events = [type(event) for frame in spoken for event in segmenter.feed(frame)]
    assert SpeechResumed in events

    heard = await speak(talk, spoken, line)

    assert True in heard[-len(words) - 20 : -len(words) + 6]  # after the hum it had gone on
    silent_until = len(spoken) - 100  # two seconds of silence follow, and another answer
    assert True not in heard[len(pauses) + 10 : silent_until]
    await until(lambda: len(desk.questions) == 2)
