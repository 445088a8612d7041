"""Sound as Discord plays it: 50 frames a second, each 20 ms of 48 kHz stereo."""

from __future__ import annotations

from typing import Final

import numpy as np
from discord.opus import Encoder

from trainerbot.speech import Pcm
from trainerbot.speech.contracts import SAMPLE_BYTES

RATE_HZ: Final = Encoder.SAMPLING_RATE
FRAME_BYTES: Final = Encoder.FRAME_SIZE
FRAME_S: Final = Encoder.FRAME_LENGTH / 1000
SILENCE: Final = bytes(FRAME_BYTES)

# Below it nobody hears anything: of 32,767, in 20 ms.
QUIETEST: Final = 160
# The silence before the first word, and the pause behind the last one.
LEAD_FRAMES: Final = 1
TAIL_FRAMES: Final = 8


def prepared(sound: Pcm) -> bytes:
    """Return `sound` as whole frames one behind the other; TAIL_FRAMES of them are a pause.

    The silence around it is left out; empty if nothing can be heard in it. Takes about a thousandth of the
    sound's own time, so it belongs in a thread.
    """
    # PyAV takes a third of a second to import, which who plays nothing is spared.
    from trainerbot.speech.audio import resampled

    audible = _audible(sound)
    if not audible.data:
        return b""
    mono = np.frombuffer(resampled(audible, RATE_HZ).data, "<i2")
    stereo = np.repeat(mono, Encoder.CHANNELS).tobytes()
    return stereo + bytes(-len(stereo) % FRAME_BYTES) + TAIL_FRAMES * SILENCE


def _audible(sound: Pcm) -> Pcm:
    samples = np.frombuffer(sound.data[: len(sound.data) // SAMPLE_BYTES * SAMPLE_BYTES], "<i2")
    step = max(1, round(sound.rate_hz * FRAME_S))
    loud = np.flatnonzero((samples >= QUIETEST) | (samples <= -QUIETEST)) // step
    if not len(loud):
        return Pcm(b"", sound.rate_hz)
    begins = max(0, int(loud[0]) - LEAD_FRAMES) * step
    ends = (int(loud[-1]) + 2) * step  # a word fades away
    return Pcm(samples[begins:ends].tobytes(), sound.rate_hz)
