"""Where speech begins and ends: made sounds for what is no speech, and a made voice."""

from itertools import pairwise

import numpy as np
import pytest

from trainerbot.errors import InvalidInput
from trainerbot.speech import Pcm
from trainerbot.speech.segmenting import (
    FRAME_BYTES,
    Segmenter,
    SpeechBegan,
    SpeechEnded,
    SpeechGrew,
    SpeechPaused,
    SpeechResumed,
    SpeechWent,
    Tuning,
)

RATE_HZ = 16_000


def silence(s: float) -> np.ndarray:
    return np.zeros(int(RATE_HZ * s))


def voice(s: float, *, hz: float = 120.0, seed: int = 0) -> np.ndarray:
    """A made voice: pulses of the glottis through formants that change with each syllable.

    Source and filter as in Fant 1960; five syllables a second. Peaks at 0.5.
    """
    n = int(RATE_HZ * s)
    random = np.random.default_rng(seed)
    times = np.arange(n) / RATE_HZ
    phase = np.cumsum(hz * (1 + 0.05 * np.sin(2 * np.pi * 3 * times))) / RATE_HZ
    pulses = np.diff(np.floor(phase), prepend=0.0) + random.normal(0, 0.01, n)
    spoken = np.zeros(n)
    for at in range(0, n, RATE_HZ // 5):
        piece = slice(at, at + RATE_HZ // 5)
        first, second = random.uniform(300, 800), random.uniform(900, 2300)
        spoken[piece] = resonated(resonated(pulses[piece], first), second)
        spoken[piece] *= np.hanning(len(spoken[piece]) + 2)[1:-1] ** 0.3
    return 0.5 * spoken / np.abs(spoken).max()


def resonated(sound: np.ndarray, hz: float, width_hz: float = 90.0) -> np.ndarray:
    """Let one formant ring."""
    n = RATE_HZ // 20
    times = np.arange(n) / RATE_HZ
    ringing = np.exp(-np.pi * width_hz * times) * np.cos(2 * np.pi * hz * times)
    return np.convolve(sound, ringing)[: len(sound)]


def noise(s: float, level: float, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, int(RATE_HZ * s))


def breathing(seed: int) -> np.ndarray:
    """Two breaths of a second each, as a headset hears them."""
    breath = np.convolve(noise(1.0, 1.0, seed=seed), np.ones(4) / 4, "same") * np.hanning(RATE_HZ)
    return np.concatenate((silence(0.5), 0.2 * breath, silence(0.7), 0.2 * breath, silence(0.5)))


def typing(seed: int) -> np.ndarray:
    """Eight keys a second: clicks that ring for some milliseconds."""
    random = np.random.default_rng(seed)
    sound = silence(4.0)
    times = np.arange(640)
    for at in np.arange(0.3, 3.8, 0.12):
        start = int(RATE_HZ * (at + random.uniform(0, 0.05)))
        ringing = np.sin(2 * np.pi * random.uniform(150, 3000) * times / RATE_HZ)
        decay = np.exp(-times / random.uniform(30, 120))
        sound[start : start + 640] += 0.4 * decay * (random.normal(0, 1, 640) + ringing)
    return sound


def frames(*sounds: np.ndarray) -> list[Pcm]:
    """Cut sounds, one behind the other, into whole frames."""
    whole = np.clip(np.concatenate(sounds), -1, 1)
    data = (whole * 32_767).astype("<i2").tobytes()
    n_frames = len(data) // FRAME_BYTES
    return [Pcm(data[at * FRAME_BYTES : (at + 1) * FRAME_BYTES]) for at in range(n_frames)]


def feed(segmenter: Segmenter, *sounds: np.ndarray) -> list:
    return [event for frame in frames(*sounds) for event in segmenter.feed(frame)]


def kinds(events: list) -> list[type]:
    """Of those that begin, hold and end a turn."""
    return [
        type(event)
        for event in events
        if not isinstance(event, SpeechPaused | SpeechResumed | SpeechGrew)
    ]


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(3), id="silence"),
        pytest.param(noise(3, 0.01), id="hiss"),
        pytest.param(noise(3, 0.2), id="a fan"),
        pytest.param(0.1 * np.sin(2 * np.pi * 50 * np.arange(48_000) / RATE_HZ), id="mains hum"),
        *(pytest.param(breathing(seed), id=f"breathing {seed}") for seed in range(3)),
        *(pytest.param(typing(seed), id=f"typing {seed}") for seed in range(3)),
    ],
)
def test_what_is_no_voice_begins_no_speech(sound):
    assert feed(Segmenter(), sound) == []


@pytest.mark.parametrize("hz", [90, 120, 200, 280])
@pytest.mark.parametrize("level", [1.0, 0.1], ids=["loud", "soft"])
def test_speech_begins_within_200_ms_and_ends_after_it(hz, level):
    events = feed(Segmenter(), silence(0.5), level * voice(1.6, hz=hz), silence(1))

    assert kinds(events) == [SpeechBegan, SpeechWent, SpeechEnded]
    assert 500 < events[0].at_ms <= 700
    assert events[-1].sound.duration_s == pytest.approx(2.1, abs=0.25)
    assert not events[-1].is_cut


def test_in_noise_it_begins_and_ends_as_well():
    spoken = np.concatenate((silence(1), voice(1.5), silence(1.5)))

    events = feed(Segmenter(), spoken + noise(4, 0.02))

    assert kinds(events) == [SpeechBegan, SpeechEnded]


def test_the_very_beginning_is_kept():
    spoken = voice(1.0)
    [*_, ended] = feed(Segmenter(), silence(1), spoken, silence(1))

    heard = np.frombuffer(ended.sound.data, "<i2") / 32_768
    first = int(np.argmax(np.abs(heard) > 0.05))
    assert np.allclose(
        heard[first : first + 8_000], spoken[np.argmax(np.abs(spoken) > 0.05) :][:8_000], atol=1e-3
    )


def test_a_short_sound_is_no_interruption():
    events = feed(Segmenter(), silence(0.5), voice(0.3), silence(1))

    assert kinds(events) == [SpeechBegan, SpeechEnded]


def test_what_goes_on_for_a_second_is_one():
    events = feed(Segmenter(), silence(0.5), voice(1.4))

    assert kinds(events) == [SpeechBegan, SpeechWent]
    assert 1_480 <= events[-1].at_ms <= 1_700


def test_two_short_sounds_with_a_pause_between_are_none():
    events = feed(Segmenter(), silence(0.5), voice(0.7), silence(0.4), voice(0.7), silence(1))

    assert kinds(events) == [SpeechBegan, SpeechEnded]


def test_a_pause_within_a_sentence_does_not_end_it():
    events = feed(Segmenter(), silence(0.3), voice(0.8), silence(0.4), voice(1.4), silence(1))

    assert [type(event) for event in events if not isinstance(event, SpeechGrew)] == [
        SpeechBegan,
        SpeechPaused,
        SpeechResumed,
        SpeechWent,
        SpeechPaused,
        SpeechEnded,
    ]


def test_who_speaks_on_after_a_pause_is_told_as_soon_as_who_begins():
    events = feed(Segmenter(), silence(0.3), voice(0.8), silence(0.4), voice(0.4))

    [resumed] = (event for event in events if isinstance(event, SpeechResumed))
    assert 1_500 < resumed.at_ms <= 1_620


@pytest.mark.parametrize("sound", [noise(0.3, 0.2), typing(0)[:6_400]], ids=["noise", "keys"])
def test_a_noise_after_a_pause_is_nobody_who_speaks_on(sound):
    events = feed(Segmenter(), silence(0.3), voice(0.8), silence(0.4), sound, silence(1))

    assert not any(isinstance(event, SpeechResumed) for event in events)


@pytest.mark.parametrize("late_ms", range(0, 20, 3))
def test_the_silence_window_is_200_ms_at_least_wherever_in_a_frame_it_begins(late_ms):
    spoken = voice(0.8)
    segmenter = Segmenter()
    events = []
    for frame in frames(silence(0.3 + late_ms / 1000), spoken, silence(1)):
        events += segmenter.feed(frame)
        segmenter.hint(finished=True)

    [ended] = (event for event in events if isinstance(event, SpeechEnded))
    last = np.flatnonzero(np.abs(spoken) > 0.005)[-1]
    window_ms = ended.at_ms - (300 + late_ms + 1000 * last / RATE_HZ)
    assert 200 <= window_ms <= 222
    assert ended.silence_ms == pytest.approx(window_ms, abs=2)


def test_a_finished_sentence_ends_after_200_ms_and_an_unfinished_one_later():
    def silence_ms(finished: bool | None) -> int:
        segmenter = Segmenter()
        events = feed(segmenter, silence(0.3), voice(0.8), silence(0.1))
        if finished is not None:
            segmenter.hint(finished=finished)
        [ended] = (e for e in feed(segmenter, silence(2)) if isinstance(e, SpeechEnded))
        assert kinds(events) == [SpeechBegan]
        return ended.silence_ms

    expected = [pytest.approx(ms + 10, abs=10) for ms in (200, 600, 1_200)]
    assert [silence_ms(finished) for finished in (True, None, False)] == expected


def test_where_a_codec_rings_on_the_silence_begins_within_the_frame():
    ringing = 0.3 * np.sin(2 * np.pi * 150 * np.arange(96) / RATE_HZ)  # 6 ms
    segmenter = Segmenter()
    [*_, paused] = feed(segmenter, silence(0.3), voice(0.8), ringing, silence(0.014 + 0.16))

    assert isinstance(paused, SpeechPaused)
    assert paused.silence_ms == 174


def test_a_hint_during_the_pause_ends_it_with_the_next_frame():
    segmenter = Segmenter()
    [*_, paused] = feed(segmenter, silence(0.3), voice(0.8), silence(0.24))
    assert isinstance(paused, SpeechPaused)

    segmenter.hint(finished=True)

    [ended] = feed(segmenter, silence(0.02))
    assert ended.sound.data.startswith(paused.sound.data[:20_000])


def test_whoever_speaks_on_makes_a_hint_void():
    segmenter = Segmenter()
    feed(segmenter, silence(0.3), voice(0.8), silence(0.1))
    segmenter.hint(finished=True)

    events = feed(segmenter, voice(0.4), silence(0.3))

    assert kinds(events) == [SpeechWent]
    assert segmenter.is_speaking


def test_an_endless_speech_is_cut_and_goes_on_without_a_hole():
    segmenter = Segmenter(Tuning(longest_ms=2_000))

    events = feed(segmenter, silence(0.3), voice(5.0), silence(1))

    ends = [event for event in events if isinstance(event, SpeechEnded)]
    assert [end.is_cut for end in ends] == [True, True, False]
    begins = [event.at_ms for event in events if isinstance(event, SpeechBegan)]
    assert all(begin == end.at_ms for begin, end in zip(begins[1:], ends, strict=False))
    assert sum(end.sound.duration_s for end in ends) == pytest.approx(5.4, abs=0.3)


def test_who_leaves_in_the_middle_of_a_sentence_has_ended_it():
    segmenter = Segmenter()
    feed(segmenter, silence(0.3), voice(0.8))

    [ended] = segmenter.flush()

    assert ended.sound.duration_s > 0.8
    assert segmenter.flush() == []


def test_one_speech_after_the_other_is_told_in_order():
    events = feed(
        Segmenter(), *(each for seed in range(3) for each in (voice(1.2, seed=seed), silence(1)))
    )

    assert kinds(events) == [SpeechBegan, SpeechWent, SpeechEnded] * 3
    assert all(before.at_ms <= after.at_ms for before, after in pairwise(events))


@pytest.mark.parametrize(
    "frame", [Pcm(b""), Pcm(bytes(FRAME_BYTES - 2)), Pcm(bytes(FRAME_BYTES), 48_000)]
)
def test_anything_but_20_ms_at_16_khz_is_refused(frame):
    with pytest.raises(InvalidInput, match="20 ms"):
        Segmenter().feed(frame)


def test_a_long_speech_is_told_as_it_grows_in_three_times_its_length_at_most():
    events = feed(Segmenter(), silence(0.3), voice(12), silence(1))

    grown_s = [event.sound.duration_s for event in events if isinstance(event, SpeechGrew)]
    assert grown_s[:2] == pytest.approx([1.5, 3.0], abs=0.05)
    assert all(after - before >= 1.5 for before, after in pairwise(grown_s))
    assert sum(grown_s) < 3 * 12
    assert isinstance(events[-1], SpeechEnded)


def test_each_speech_grows_anew():
    segmenter = Segmenter()
    once = [feed(segmenter, silence(0.3), voice(2), silence(1)) for _ in range(2)]

    assert [sum(isinstance(each, SpeechGrew) for each in events) for events in once] == [1, 1]
