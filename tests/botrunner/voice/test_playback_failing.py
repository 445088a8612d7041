"""What is said in a call when the synthesizer dies, the line breaks, or the call ends."""

import asyncio

import discord
import pytest

from botrunner.voice.playback import SILENCE, Player
from tests.botrunner.voice.lines import Line, begin, made, settled


@pytest.mark.origin(44)
async def test_a_synthesizer_that_dies_leaves_the_rest_with_a_reason_in_words(player, line, mouth):
    mouth.dies_at = 2
    speech = await begin(player, "One is said. Two is not. Three neither.")
    await line.wait_for_sound()
    await line.play_out()

    heard = await asyncio.wait_for(speech.over(), 60)

    assert heard.text == "One is said."
    assert heard.problem
    assert "/usr/bin" not in heard.problem
    assert mouth.asked == ["One is said.", "Two is not."]


async def test_the_next_speech_is_not_harmed_by_one_that_died(player, line, mouth):
    mouth.dies_at = 1
    dead, alive = await begin(player, "One."), await begin(player, "Two.")
    await line.wait_for_sound()
    await line.play_out()

    assert (await dead.over()).problem
    assert (await alive.over()).is_whole


@pytest.mark.origin(46)
async def test_after_an_error_of_the_line_it_goes_on(player, line):
    speech = await begin(player, "One two three four.")
    await line.wait_for_sound()
    line.draw(2)

    line.end(OSError("no buffer space"))
    await line.wait_for_sound()
    await line.play_out()

    assert (await speech.over()).is_whole


@pytest.mark.origin(46)
async def test_a_line_that_keeps_breaking_is_given_up_in_words(player, line):
    speech = await begin(player, "One two three four.")
    for _ in range(3):
        await line.wait_for_sound()
        line.end(OSError("no buffer space"))

    heard = await asyncio.wait_for(speech.over(), 60)

    assert "only written" in heard.problem


async def test_without_opus_it_says_so_in_words(player, line):
    line.breaks = discord.opus.OpusNotLoaded()

    heard = await asyncio.wait_for(player.say("One.", language="en"), 60)

    assert "only written" in heard.problem


async def test_while_the_connection_is_away_it_waits(player, line):
    line.connected = False
    speech = await begin(player, "One.")
    await made(speech, 1)
    await settled()
    assert line.n_plays == 0

    line.connected = True
    await line.wait_for_sound()
    await line.play_out()

    assert (await speech.over()).is_whole


async def test_on_a_new_connection_it_goes_on_though_the_old_one_never_ends(mouth, line):
    here = [line]
    player = Player(synthesize=mouth, voice=lambda: here[0])
    speech = await begin(player, "One two three four.")
    await line.wait_for_sound()
    line.draw(2)
    line.connected = False  # its thread waits for a connection that does not come

    here[0] = new = Line()
    await new.wait_for_sound()
    line.end()  # and then it ends after all
    await new.play_until(lambda: speech.is_over)

    assert (await speech.over()).is_whole


@pytest.mark.origin(47)
async def test_what_is_cleared_is_neither_said_nor_waits(player, line):
    first, second = await begin(player, "One."), await begin(player, "Two.")
    await line.wait_for_sound()
    line.draw(2)

    player.clear("I left.")

    assert line.draw(10) == 0
    assert (await first.over()).problem == (await second.over()).problem == "I left."
    assert line.frames.count(SILENCE) == 0
