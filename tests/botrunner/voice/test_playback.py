"""What is said in a call: in order, sentence by sentence, and how much of it was heard."""

import asyncio

import pytest

from botrunner.voice.playback import (
    FRAME_BYTES,
    FRAME_S,
    MOST_CHARACTERS,
    prepared,
)
from botrunner.voice.playback.frames import TAIL_FRAMES
from botrunner.voice.playback.speech import Sentence
from tests.botrunner.voice.lines import begin, made, settled, tone
from trainerbot.speech import Pcm

SECOND = round(1 / FRAME_S)


# --- sound ------------------------------------------------------------------------------
def test_a_sound_becomes_whole_frames_of_48_khz_stereo():
    frames = prepared(tone(0.5))

    assert len(frames) % FRAME_BYTES == 0
    assert abs(len(frames) // FRAME_BYTES - TAIL_FRAMES - 25) <= 1
    assert frames[0::4] == frames[2::4]
    assert frames[1::4] == frames[3::4]


def test_silence_around_a_sound_is_not_played():
    quiet = bytes(2 * 16_000)

    frames = prepared(Pcm(quiet + tone(0.2).data + quiet))

    assert len(frames) // FRAME_BYTES - TAIL_FRAMES <= 12


@pytest.mark.parametrize("data", [b"", b"\0", bytes(32_000)])
def test_a_sound_without_sound_is_no_frame(data):
    assert prepared(Pcm(data)) == b""


# --- order ------------------------------------------------------------------------------
@pytest.mark.origin(46)
async def test_two_speeches_at_once_are_said_one_after_the_other(player, line, mouth):
    first, second = await begin(player, "One."), await begin(player, "Two.")
    await made(first, 1)
    await made(second, 1)

    await line.play_out()

    assert (await first.over()).text == "One."
    assert (await second.over()).text == "Two."
    assert line.n_plays == 1


@pytest.mark.origin(46)
async def test_a_later_speech_that_is_ready_earlier_waits(player, line, mouth):
    mouth.waits_at = 1
    first = await begin(player, "One.")
    await settled()
    second = await begin(player, "Two.")
    await made(second, 1)
    await settled()
    assert line.n_plays == 0

    mouth.go_on.set()
    await made(first, 1)
    await line.play_out()

    assert (await first.over()).is_whole
    assert (await second.over()).is_whole


async def test_people_take_turns(player, line):
    speeches = [
        await begin(player, text, asker_id=asker)
        for text, asker in [("A1.", 1), ("A2.", 1), ("A3.", 1), ("B1.", 2)]
    ]
    for speech in speeches:
        await made(speech, 1)
    order = []
    for speech in speeches:
        speech._over.add_done_callback(lambda over: order.append(over.result().text))

    await line.play_out()

    assert order == ["A1.", "B1.", "A2.", "A3."]


async def test_the_first_sentence_is_heard_while_the_second_is_made(player, line, mouth):
    mouth.waits_at = 2
    speech = await begin(player, "One is said. Two is made.")
    await made(speech, 1)
    await line.wait_for_sound()

    assert line.draw(5) == 5
    assert mouth.asked == ["One is said.", "Two is made."]
    assert line.draw(SECOND // 2) < SECOND // 2  # then silence, on the same line

    mouth.go_on.set()
    await made(speech, 2)
    await line.play_out()
    assert (await speech.over()).n_sentences == 2
    assert line.n_plays == 1


async def test_a_pause_that_lasts_lets_the_line_go_and_takes_it_again(player, line, mouth):
    mouth.waits_at = 2
    speech = await begin(player, "One is said. Two is made.")
    await line.wait_for_sound()
    line.draw(4 * SECOND)
    await settled()
    assert not line.is_playing()

    mouth.go_on.set()
    await made(speech, 2)
    await line.wait_for_sound()
    await line.play_out()

    assert (await speech.over()).is_whole


async def test_no_more_than_two_sentences_are_made_ahead(player, line, mouth):
    speech = await begin(player, "One is. Two is. Three is. Four is. Five is.")
    await made(speech, 2)
    await settled()

    assert len(mouth.asked) == 2
    while not speech.is_over:
        line.draw()
        await asyncio.sleep(0.001)
    assert len(mouth.asked) == 5


# --- what is said -----------------------------------------------------------------------
@pytest.mark.origin(48)
async def test_what_is_said_is_cleaned_for_the_ear(player, line, mouth):
    speech = await begin(player, "**Look** [here](https://example.com/x). ```py\nx = 1\n```\n🙂\n")
    await made(speech, 1)
    await line.play_out()

    assert mouth.asked == ["Look here."]


@pytest.mark.origin(48)
async def test_what_has_nothing_for_the_ear_is_over_at_once(player, line, mouth):
    speech = await begin(player, "🙂 ```x```")

    heard = await asyncio.wait_for(speech.over(), 60)

    assert heard.is_whole
    assert (heard.text, mouth.asked, line.n_plays) == ("", [], 0)


@pytest.mark.origin(48)
async def test_a_long_text_is_said_up_to_a_length(player, line, mouth):
    mouth.sound = tone(0.02)
    speech = await begin(player, "This is a sentence. " * 200)
    while not speech.is_over:
        line.draw()
        await asyncio.sleep(0)

    assert MOST_CHARACTERS - 40 < sum(map(len, mouth.asked)) <= MOST_CHARACTERS
    assert not (await speech.over()).is_whole
    assert speech.is_shortened


async def test_the_language_reaches_the_synthesizer(player, line, mouth):
    speech = player.begin(language="ru-RU")
    speech.feed("Да.")
    speech.end()
    await made(speech, 1)

    assert mouth.languages == ["ru-RU"]


# --- interruptions ------------------------------------------------------------------------
async def test_an_interruption_ends_the_sound_with_the_next_frame(player, line):
    await begin(player, "A sentence that somebody interrupts.")
    await line.wait_for_sound()
    assert line.draw(5) == 5

    player.interrupt()

    assert line.draw(10) == 0


async def test_after_an_interruption_it_is_known_what_was_heard(player, line, mouth):
    mouth.sound = tone(1.0)
    speech = await begin(player, "It never closes. Not even on a Sunday at night. And so on.")
    await line.wait_for_sound()
    await made(speech, 2)
    n_frames = speech.sentences[0].n_frames
    line.draw(n_frames + n_frames // 2)

    heard = player.interrupt()

    assert heard is not None
    assert (heard.text, heard.n_sentences) == ("It never closes. Not even on a", 1)
    assert heard.n_words == 7
    assert not heard.is_whole
    assert await speech.over() == heard


async def test_nothing_was_heard_of_what_never_began(player, line):
    speech = await begin(player, "One.")
    player.clear()

    heard = await speech.over()

    assert (heard.text, heard.n_words, heard.is_whole) == ("", 0, False)


def test_words_are_heard_when_their_last_frame_was_played():
    sentence = Sentence("one two three", bytes(FRAME_BYTES * (13 + 8)))

    def heard_after(n_frames):
        sentence.n_played = n_frames
        return sentence.heard()

    assert [heard_after(n) for n in (0, 2, 3, 6, 7, 12, 13)] == [
        "", "", "one", "one", "one two", "one two", "one two three",
    ]  # fmt: skip


async def test_what_waits_behind_an_interruption_is_still_said(player, line):
    first, second = await begin(player, "One.", asker_id=1), await begin(player, "Two.", asker_id=2)
    await made(first, 1)
    await made(second, 1)
    line.draw(2)

    player.interrupt()
    await line.play_out()

    assert not (await first.over()).is_whole
    assert (await second.over()).is_whole


async def test_held_it_is_silent_and_goes_on_where_it_was(player, line, mouth):
    mouth.sound = tone(1.0)
    speech = await begin(player, "One two three four.")
    await line.wait_for_sound()
    assert line.draw(25) == 25

    player.hold()
    assert line.draw(25) == 0
    player.release()
    n_left = await line.play_out()

    assert n_left > speech.sentences[0].n_frames - 25  # a little is heard again
    assert (await speech.over()).is_whole


async def test_held_for_long_it_lets_the_line_go_and_takes_it_again(player, line):
    speech = await begin(player, "One two three four.")
    await line.wait_for_sound()
    line.draw(2)
    player.hold()
    line.draw(5 * SECOND)
    await settled()
    assert not line.is_playing()

    player.release()
    await line.play_out()

    assert (await speech.over()).is_whole


async def test_what_waits_for_a_person_can_be_forgotten(player, line):
    first, second = await begin(player, "One.", asker_id=1), await begin(player, "Two.", asker_id=2)
    player.drop(2)

    assert (await second.over()).n_words == 0
    await made(first, 1)
    await line.play_out()
    assert (await first.over()).is_whole
