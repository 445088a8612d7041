"""Where one person's speech begins and ends, frame by frame.

Voice activity is WebRTC's (Gaussian mixtures over six bands, Google 2011).
Alone it takes hiss, breath and keys for speech now and then, so that speech
begins only where there is voice, too: sound louder than what is usual here,
with a pitch. The pitch is the highest peak of the normalised autocorrelation
between 70 and 400 Hz (Boersma 1993, without his window correction's tables).
Whispering has none and does not begin a speech.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from trainerbot.errors import InvalidInput
from trainerbot.speech.contracts import HEARD_RATE_HZ, SAMPLE_BYTES, Pcm

FRAME_MS: Final = 20
FRAME_BYTES: Final = HEARD_RATE_HZ * FRAME_MS // 1000 * SAMPLE_BYTES
QUIETEST_DB: Final = -55.0  # of full scale; nothing below it is speech
OVER_FLOOR_DB: Final = 8.0
PEAK: Final = 2.0  # of the loudest that is silent, when it is looked where silence begins
LOWEST_HZ, HIGHEST_HZ = 70, 400
LEAST_PITCH: Final = 0.5  # of a perfectly periodic sound's 1
SURE: Final = 2  # of WebRTC's 0 to 3, the strictest


Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tuning:
    """When speech begins, counts as an interruption, and ends; all in milliseconds.

    It begins with `begins_ms` of voice within the last `within_ms`, of which
    `pitched_ms` have a pitch, and goes on so after a pause that was told. After
    `quiet_ms` of silence it ends if what was said is known to be a finished
    sentence, after `unknown_ms` if nobody knows, and after `unfinished_ms` if
    it is known not to be. A pause is told a little earlier, after `pause_ms`,
    so that what was said is known when the silence has lasted long enough.
    """

    begins_ms: int = 80
    within_ms: int = 240
    pitched_ms: int = 40
    interrupts_ms: int = 1_000  # a slow "mm-hm" takes almost as long
    pause_ms: int = 160
    quiet_ms: int = 200
    unknown_ms: int = 600
    unfinished_ms: int = 1_200
    before_ms: int = 300  # kept of the time before the speech was noticed
    after_ms: int = 120  # kept of the silence after it
    longest_ms: int = 30_000
    grown_ms: int = 1_500  # after which the sound so far is told for the first time


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """Somebody speaks; it may still be no more than a "mm-hm". Lower your voice, do not stop.

    `at_ms` counts what was fed to the segmenter.
    """

    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechWent:
    """They went on for longer than a "mm-hm" takes, without a pause: it is an interruption."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """They speak on after a pause that was told. As with `SpeechBegan`, be silent."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechGrew:
    """They speak on. sound: all that was said since it began.

    Told each time that it has grown by half, and by `Tuning.grown_ms` at
    least: all these sounds together are three times as long as the speech.
    """

    at_ms: int
    sound: Pcm


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """A silence that ends the speech if `hint(finished=True)` says so. Told once a pause.

    sound: all that was said since it began. silence_ms: how long it is silent by now.
    """

    at_ms: int
    sound: Pcm
    silence_ms: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """All of what was said.

    silence_ms: how long it was silent when this was told. is_cut: they still
    speak, it only grew too long.
    """

    at_ms: int
    sound: Pcm
    silence_ms: int
    is_cut: bool = False


Event = SpeechBegan | SpeechWent | SpeechResumed | SpeechGrew | SpeechPaused | SpeechEnded


class Segmenter:
    """Cuts one speaker's sound into what they said in one go. Knows no clock but the sound.

    Takes about 0.03 ms a frame. Of one thread.
    """

    def __init__(self, tuning: Tuning | None = None) -> None:
        self._tuning = tuning or Tuning()
        self._vad = webrtcvad.Vad(SURE)
        self._now_ms = 0
        self._floor_db = QUIETEST_DB
        self._before: Samples = np.zeros(FRAME_BYTES // SAMPLE_BYTES, np.float32)
        n_kept = (self._tuning.within_ms + self._tuning.before_ms) // FRAME_MS
        self._recent: deque[bytes] = deque(maxlen=n_kept)
        # Of the last frames: whether they are voice, whether they have a pitch.
        n_judged = self._tuning.within_ms // FRAME_MS
        self._voiced: deque[bool] = deque(maxlen=n_judged)
        self._pitched: deque[bool] = deque(maxlen=n_judged)
        self._speech: list[bytes] = []
        self._spoken_ms = 0  # frames of voice since it began, or since a pause was told
        self._quiet_ms = 0
        self._tail_ms = 0  # of silence at the end of the last frame
        self._is_speaking = self._went = self._has_paused = False
        self._resumes = False  # there is voice after a pause, too little of it to tell
        self._is_finished: bool | None = None
        self._told_ms = 0  # of this speech, by SpeechGrew

    @property
    def is_speaking(self) -> bool:
        return self._is_speaking

    @property
    def is_pausing(self) -> bool:
        """Whether a pause was told, and not a frame of voice has come since."""
        return self._is_speaking and self._has_paused

    def hint(self, *, finished: bool) -> None:
        """Say whether what was said so far is a finished sentence, as far as words tell.

        It counts until they speak on.
        """
        self._is_finished = finished

    def feed(self, frame: Pcm) -> list[Event]:
        """Take the next 20 ms at 16 kHz, and say what became of it. Raises InvalidInput else."""
        if frame.rate_hz != HEARD_RATE_HZ or len(frame.data) != FRAME_BYTES:
            raise InvalidInput("Speech is cut from frames of 20 ms at 16 kHz.")
        self._now_ms += FRAME_MS
        is_voice = self._judge(frame.data)
        if self._is_speaking:
            return self._go_on(frame.data, is_voice)
        self._recent.append(frame.data)
        return self._begin() if is_voice and self._is_speech() else []

    def flush(self) -> list[Event]:
        """End what is being said: the speaker has left."""
        return [self._end()] if self._is_speaking else []

    # --- one frame ----------------------------------------------------------------
    def _judge(self, data: bytes) -> bool:
        """Whether a frame is voice; that and its pitch are remembered."""
        samples: Samples = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32_768)
        level_db, quiet_db = level(samples), max(self._floor_db + OVER_FLOOR_DB, QUIETEST_DB)
        is_loud = level_db > quiet_db
        is_active = self._vad.is_speech(data, HEARD_RATE_HZ)
        # WebRTC's misses soft voices, and while somebody speaks their pitch needs no looking at.
        is_known = self._is_speaking and not (self._has_paused or self._resumes)
        is_asked = is_loud and not (is_active and is_known)
        has_pitch = is_asked and pitch(np.concatenate((self._before, samples)))
        is_voice = is_loud and (is_active or has_pitch)
        # Up slowly, down fast: a long sentence is no noise, and an end of noise is none to wait for.
        pace = 0.2 if level_db < self._floor_db else 0.002 if is_voice else 0.05
        self._floor_db += pace * (max(level_db, QUIETEST_DB - OVER_FLOOR_DB) - self._floor_db)
        self._voiced.append(is_voice)
        self._pitched.append(has_pitch)
        self._before = samples
        self._tail_ms = _silence_ms(samples, quiet_db)
        return is_voice

    def _is_speech(self) -> bool:
        """Whether there was enough voice of late that somebody speaks."""
        tuning = self._tuning
        return (
            sum(self._voiced) * FRAME_MS >= tuning.begins_ms
            and sum(self._pitched) * FRAME_MS >= tuning.pitched_ms
        )

    def _begin(self) -> list[Event]:
        self._is_speaking, self._went, self._has_paused = True, False, False
        self._resumes, self._is_finished = False, None
        self._speech = list(self._recent)
        self._recent.clear()
        self._spoken_ms = sum(self._voiced) * FRAME_MS
        self._quiet_ms = self._told_ms = 0
        return [SpeechBegan(self._now_ms)]

    def _go_on(self, data: bytes, is_voice: bool) -> list[Event]:
        self._speech.append(data)
        if not is_voice:
            # A last sound at the beginning of this frame still belongs to the speech.
            fades = self._quiet_ms < FRAME_MS and 0 < self._tail_ms < FRAME_MS
            self._quiet_ms = self._tail_ms if fades else self._quiet_ms + FRAME_MS
            return self._be_quiet()
        self._quiet_ms = self._tail_ms
        self._is_finished = None
        if self._has_paused:
            self._has_paused, self._went, self._spoken_ms, self._resumes = False, False, 0, True
        self._spoken_ms += FRAME_MS
        events: list[Event] = []
        if self._resumes and self._is_speech():
            self._resumes = False
            events.append(SpeechResumed(self._now_ms))
        if not self._went and self._spoken_ms >= self._tuning.interrupts_ms:
            self._went = True
            events.append(SpeechWent(self._now_ms))
        length_ms = len(self._speech) * FRAME_MS
        if length_ms >= self._tuning.longest_ms:
            events += [self._end(is_cut=True), *self._begin()]
        elif length_ms >= self._told_ms + max(self._tuning.grown_ms, self._told_ms // 2):
            self._told_ms = length_ms
            events.append(SpeechGrew(self._now_ms, self._sound()))
        return events

    def _be_quiet(self) -> list[Event]:
        tuning = self._tuning
        enough_ms = {True: tuning.quiet_ms, None: tuning.unknown_ms}.get(
            self._is_finished, tuning.unfinished_ms
        )
        if self._quiet_ms >= enough_ms:
            return [self._end()]
        if self._quiet_ms >= tuning.pause_ms and not self._has_paused:
            self._has_paused = True
            # What they say next is judged by itself, as a beginning is.
            self._voiced.clear()
            self._pitched.clear()
            return [SpeechPaused(self._now_ms, self._sound(), self._quiet_ms)]
        return []

    def _end(self, *, is_cut: bool = False) -> SpeechEnded:
        ended = SpeechEnded(self._now_ms, self._sound(), self._quiet_ms, is_cut)
        self._is_speaking = False
        self._speech = []
        self._voiced.clear()
        self._pitched.clear()
        return ended

    def _sound(self) -> Pcm:
        """What was said, with a little of the silence after it."""
        n_too_quiet = max(0, self._quiet_ms - self._tuning.after_ms) // FRAME_MS
        return Pcm(b"".join(self._speech[: len(self._speech) - n_too_quiet]))


def _silence_ms(samples: Samples, quiet_db: float) -> int:
    """How long a frame is silent at its end, in whole milliseconds."""
    loud = np.flatnonzero(np.abs(samples) > PEAK * 10 ** (quiet_db / 20))
    n_silent = len(samples) - 1 - int(loud[-1]) if len(loud) else len(samples)
    return n_silent * 1000 // HEARD_RATE_HZ


def level(samples: Samples) -> float:
    """How loud samples in [-1, 1] are, in dB of full scale."""
    return 10 * math.log10(float(samples @ samples) / len(samples) + 1e-12)


def pitch(samples: Samples) -> bool:
    """Whether 40 ms of sound, float32 at 16 kHz, shape (640,), repeat themselves as a voice does."""
    centred = samples - samples.mean()
    power = np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2
    correlation = np.fft.irfft(power)[: len(centred)]
    if correlation[0] <= 0:
        return False
    lags = np.arange(HEARD_RATE_HZ // HIGHEST_HZ, HEARD_RATE_HZ // LOWEST_HZ)
    # Of a longer lag fewer samples overlap.
    share = correlation[lags] / correlation[0] / (1 - lags / len(centred))
    best = int(share.argmax())
    # A hum below 70 Hz, and anything that only changes slowly, is best at no lag at all.
    return bool(best > 0 and share[best] >= LEAST_PITCH)
