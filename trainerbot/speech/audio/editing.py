"""Trimming, levelling and picturing of sound, by pydub's AudioSegment."""

import warnings
from typing import Final

from trainerbot.speech.contracts import SAMPLE_BYTES, Pcm

with warnings.catch_warnings():
    # It misses an ffmpeg executable, which nothing here ever starts.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment, effects, silence

_MARGIN_MS: Final = 100  # of quiet left around what is said, so that no consonant is cut
_QUIETEST_DBFS: Final = -60.0
_BELOW_SPEECH_DB: Final = 25.0
_HEADROOM_DB: Final = 1.0
_MOST_BARS: Final = 256  # what Discord takes
_BAR_MS: Final = 100
_PAUSE_S: Final = 0.2


def trimmed(sound: Pcm) -> Pcm:
    """Return `sound` without the quiet at its ends; one that is quiet throughout as it is."""
    segment = _segment(sound)
    if not len(segment) or segment.rms == 0:
        return sound
    threshold = max(segment.dBFS - _BELOW_SPEECH_DB, _QUIETEST_DBFS)
    first = silence.detect_leading_silence(segment, threshold)
    if first >= len(segment):
        return sound
    last = len(segment) - silence.detect_leading_silence(segment.reverse(), threshold)
    return _pcm(segment[max(0, first - _MARGIN_MS) : last + _MARGIN_MS])


def levelled(sound: Pcm) -> Pcm:
    """Return `sound` with its loudest moment just below the limit; silence stays silence."""
    segment = _segment(sound)
    return _pcm(effects.normalize(segment, headroom=_HEADROOM_DB)) if segment.rms else sound


def waveform(sound: Pcm) -> bytes:
    """Return how loud it is over time as at most 256 values, 255 the loudest.

    A value each 100 ms as long as they suffice: what Discord draws beside a voice message.
    """
    segment = _segment(sound)
    if not len(segment):
        return b"\0"
    n_bars = max(1, min(_MOST_BARS, len(segment) // _BAR_MS))
    width = len(segment) / n_bars
    bars = [segment[int(i * width) : int((i + 1) * width)].rms for i in range(n_bars)]
    loudest = max(bars) or 1
    return bytes(round(255 * bar / loudest) for bar in bars)


def pieces(sound: Pcm, *, most_s: float) -> list[Pcm]:
    """Return `sound` in pieces of at most `most_s` seconds, cut where it is quietest."""
    most = int(most_s * sound.rate_hz) * SAMPLE_BYTES
    left, cut = sound.data, []
    while len(left) > most:
        at = _quietest(left[most // 2 : most], sound.rate_hz) + most // 2
        cut.append(Pcm(left[:at], sound.rate_hz))
        left = left[at:]
    return [*cut, Pcm(left, sound.rate_hz)]


def _quietest(data: bytes, rate_hz: int) -> int:
    """Return where, in bytes, the middle of the quietest 200 ms lies."""
    window = int(_PAUSE_S * rate_hz) * SAMPLE_BYTES
    starts = range(0, max(1, len(data) - window), max(SAMPLE_BYTES, window // 2))
    quietest = min(starts, key=lambda at: _segment(Pcm(data[at : at + window], rate_hz)).rms)
    middle = quietest + window // 2
    return max(SAMPLE_BYTES, middle - middle % SAMPLE_BYTES)


def _segment(sound: Pcm) -> AudioSegment:
    whole = len(sound.data) - len(sound.data) % SAMPLE_BYTES
    return AudioSegment(
        data=sound.data[:whole], sample_width=SAMPLE_BYTES, frame_rate=sound.rate_hz, channels=1
    )


def _pcm(segment: AudioSegment) -> Pcm:
    return Pcm(segment.raw_data, segment.frame_rate)
