"""What is said in a call arrives, encrypted, at those who are in it."""

import discord
import pytest

from botrunner.voice import opus
from botrunner.voice.playback import Player
from tests.botrunner.voice.lines import Mouth, until
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.voice import SILENCE


@pytest.fixture
async def fake():
    async with FakeDiscord(dave=1) as fake:
        yield fake


async def test_speech_is_heard_end_to_end_encrypted_until_it_is_interrupted(fake, connected):
    opus.load()
    client = await connected(fake)
    await fake.voice.enter(fake.add_user("Ada"), ssrc=7)
    player = Player(synthesize=Mouth(5.0), voice=lambda: client)
    call = fake.voice.call

    def sound() -> list[bytes]:
        decoder = discord.opus.Decoder()
        decoded = [decoder.decode(frame.opus) for frame in call.frames if frame.opus != SILENCE]
        return [frame for frame in decoded if max(frame) and max(frame[1::2]) > 1]

    speech = player.begin(language="en")
    speech.feed("It is five seconds long.")
    speech.end()
    await until(lambda: len(call.frames) > 20)
    heard = player.interrupt()
    n_then = len(call.frames)
    await until(lambda: call.frames[-1].opus == SILENCE)

    assert heard is not None
    assert heard.was_cut
    assert call.n_undecryptable == 0
    assert len(sound()) >= 20
    assert len(call.frames) - n_then <= 10  # 200 ms, with Opus's five frames of silence
