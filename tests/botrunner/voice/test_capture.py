"""From packets to 20 ms of mono at 16 kHz."""

import asyncio
import math
import struct
from array import array
from collections import Counter
from itertools import pairwise
from types import SimpleNamespace

import pytest
from discord.opus import Encoder

from botrunner.voice import opus
from botrunner.voice.capture import FRAME_S, Capture, Speaker
from botrunner.voice.packets import SILENCE, Packet
from tests.botrunner.voice.calling import voiced
from tests.botrunner.voice.lines import until
from tests.botrunner.working import as_loaded
from tests.fakes.discord import FakeDiscord
from trainerbot.speech import Pcm


@pytest.fixture(scope="module", autouse=True)
def _libopus():
    opus.load()


def tone(hz: float, n_frames: int, *, ms: int = 20) -> list[bytes]:
    """Opus frames of a stereo tone, as Discord's clients send them."""
    encoder, n_samples = Encoder(bitrate=64, expected_packet_loss=0.2), 48 * ms
    frames = []
    for number in range(n_frames):
        times = range(number * n_samples, (number + 1) * n_samples)
        samples = [int(8000 * math.sin(2 * math.pi * hz * t / 48_000)) for t in times]
        pcm = struct.pack(f"<{2 * n_samples}h", *(s for sample in samples for s in (sample,) * 2))
        frames.append(encoder.encode(pcm, n_samples))
    return frames


def pitch_hz(sound: list[Pcm]) -> float:
    """How often the sound rises through zero in a second."""
    samples = array("h", b"".join(each.data for each in sound))
    rises = sum(a < 0 <= b for a, b in pairwise(samples))
    return rises / (len(samples) / 16_000)


def is_silent(frame: Pcm) -> bool:
    return not any(frame.data)


class Talking:
    """A speaker who is heard at the times of a clock that the test moves."""

    def __init__(self) -> None:
        self.counts = Counter()
        self.speaker = Speaker(self.counts)
        self.frames = []
        self.now = 100.0

    def say(self, sequence, frame, *, after_s=FRAME_S):
        self.wait(after_s)
        packet = Packet(1, sequence, sequence * 960, frame)
        self.frames += self.speaker.put(packet, self.now)

    def wait(self, s):
        """Look every 20 ms, as the capture's thread does."""
        until = self.now + s
        while self.now < until - 1e-9:
            self.now = min(until, self.now + FRAME_S)
            if self.frames and self.now < until - 1e-9:
                self.frames += self.speaker.wait(self.now)


def test_stereo_at_48_khz_becomes_mono_at_16_khz():
    talking = Talking()
    for number, frame in enumerate(tone(440, 50)):
        talking.say(number, frame)

    assert len(talking.frames) == 50
    assert {len(frame.data) for frame in talking.frames} == {640}
    assert pitch_hz(talking.frames[5:]) == pytest.approx(440, abs=5)


@pytest.mark.parametrize("ms", [10, 40, 60])
def test_frames_of_any_length_are_cut_to_20_ms(ms):
    talking = Talking()
    for number, frame in enumerate(tone(440, 600 // ms, ms=ms)):
        talking.say(number, frame, after_s=ms / 1000)

    assert sum(not is_silent(frame) for frame in talking.frames) in (29, 30)
    assert {len(frame.data) for frame in talking.frames} == {640}


def test_lost_frames_are_guessed_and_the_time_stays_right():
    talking = Talking()
    for number, frame in enumerate(tone(440, 50)):
        if number not in (20, 30, 31):
            talking.say(number, frame, after_s=FRAME_S * (1 + (number in (21, 32))))

    assert len(talking.frames) == 50
    assert talking.counts["concealed"] == 3
    assert pitch_hz(talking.frames[5:]) == pytest.approx(440, abs=15)


def test_silence_is_put_in_while_nothing_comes_and_speech_goes_on_after_it():
    talking = Talking()
    spoken = tone(440, 20)
    for number, frame in enumerate(spoken[:10]):
        talking.say(number, frame)
    for number in range(10, 15):
        talking.say(number, SILENCE)
    talking.wait(1.0)
    for number, frame in enumerate(spoken[10:], 15):
        talking.say(number, frame)

    assert len(talking.frames) == pytest.approx((talking.now - 100.0) / FRAME_S, abs=4)
    assert all(is_silent(frame) for frame in talking.frames[20:60])
    assert not is_silent(talking.frames[-1])


def test_the_click_with_which_a_voice_turns_into_silence_is_not_heard():
    speaker = Speaker(Counter())
    sound = []
    for number, frame in enumerate([*voiced(0.9825, seed=7)[:50], SILENCE]):
        sound += speaker.put(Packet(7, number, number * 960, frame), 100.0 + number * FRAME_S)

    assert not is_silent(sound[-2])
    assert is_silent(sound[-1])


def test_silence_that_was_put_in_comes_when_a_packet_of_it_would():
    talking = Talking()
    for number, frame in enumerate([*tone(440, 10), *[SILENCE] * 4]):  # one of five was lost
        talking.say(number, frame)
    speaker, said_until = talking.speaker, talking.now

    assert speaker.silence_at == pytest.approx(said_until + 4 * FRAME_S)
    assert speaker.wait(said_until + 3.9 * FRAME_S) == []
    assert len(speaker.wait(speaker.silence_at)) == 4
    assert speaker.silence_at == pytest.approx(said_until + 5 * FRAME_S)
    assert len(speaker.wait(speaker.silence_at)) == 1


def test_who_has_said_all_is_silent_at_once_and_not_twice():
    talking = Talking()
    for number, frame in enumerate([*tone(440, 10), *[SILENCE] * 5]):
        talking.say(number, frame)
    speaker, said_until = talking.speaker, talking.now

    assert speaker.silence_at == pytest.approx(said_until + FRAME_S)
    assert len(speaker.wait(said_until + FRAME_S)) == 1
    late = Packet(1, 15, 15 * 960, SILENCE)  # for which silence was put in
    assert speaker.put(late, said_until + 1.5 * FRAME_S) == []


def test_after_an_outage_nothing_is_counted_twice():
    talking = Talking()
    spoken = tone(440, 60)
    for number, frame in enumerate(spoken[:20]):
        talking.say(number, frame)
    talking.wait(0.4)  # twenty frames, for which silence was put in
    for number, frame in enumerate(spoken[40:], 40):
        talking.say(number, frame)

    assert len(talking.frames) == pytest.approx(60, abs=3)


def test_a_heap_of_late_frames_does_not_delay_the_silence_after_it():
    talking = Talking()
    frames = tone(440, 40)
    talking.say(0, frames[0])
    talking.wait(0.6)
    for number, frame in enumerate(frames[1:], 1):
        talking.say(number, frame, after_s=0.0)
    n_heard = len(talking.frames)

    talking.wait(0.3)

    assert len(talking.frames) - n_heard == pytest.approx(14, abs=2)


def test_what_is_no_opus_is_counted_and_passed_over():
    talking = Talking()
    spoken = tone(440, 10)
    for number, frame in enumerate(spoken):
        talking.say(number, b"\xff\xff\xff\xff" if number == 4 else frame)

    assert talking.counts["broken"] == 1
    assert len(talking.frames) == 10


def test_who_is_silent_for_long_is_forgotten():
    talking = Talking()
    talking.say(0, SILENCE)

    assert not talking.speaker.is_done(talking.now + 1.9)
    assert talking.speaker.is_done(talking.now + 2.1)


@pytest.fixture
async def fake():
    async with FakeDiscord() as fake:
        yield fake


async def test_several_speakers_are_heard_apart_and_who_will_not_be_is_not(
    fake, connected, monkeypatch
):
    # On a busy machine what comes late would be taken for lost: time stands still meanwhile.
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr(as_loaded("botrunner.voice.capture"), "time", clock)
    now = 100.0
    low, high = tone(300, 100), tone(900, 100)
    ada, grace, mute = (fake.add_user(name) for name in ("Ada", "Grace", "Mute"))
    client = await connected(fake)
    heard: dict[int, list[Pcm]] = {}
    capture = Capture(
        client,
        lambda who, sound: heard.setdefault(who, []).append(sound),
        is_heard=lambda who: who != int(mute.id),
    )
    capture.start()
    for number, who in enumerate((ada, grace, mute)):
        await fake.voice.enter(who, ssrc=number + 7)

    await asyncio.gather(
        fake.voice.speak(ada, low, lost=[40], swapped=[50]),
        fake.voice.speak(grace, high),
        fake.voice.speak(mute, high),
    )
    await until(lambda: len(heard.get(int(grace.id), ())) == 100)
    now += 1.0  # nobody waits for a lost frame that long
    await until(lambda: len(heard[int(ada.id)]) >= 100)
    capture.stop()
    capture.join()

    assert pitch_hz(heard[int(ada.id)][5:95]) == pytest.approx(300, abs=10)
    assert pitch_hz(heard[int(grace.id)][5:95]) == pytest.approx(900, abs=10)
    assert int(mute.id) not in heard
    assert client.counts["unheard"] == 100
    assert capture.counts["concealed"] == 1
