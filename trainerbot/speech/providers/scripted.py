"""Hearing and speaking by a script: tones for words, the same each time. For tests.

The mouth says each text as a tone of its own; the ear tells what tone it
hears. Both are usable only where SCRIPTED_SPEECH is set, so nobody gets tones
for an answer by mistake.
"""

import itertools
import math
import struct
import time
import zlib
from collections.abc import Mapping
from typing import Final

from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.speech.contracts import (
    NothingHeard,
    Pcm,
    Recognizer,
    SpeechAbsent,
    Standing,
    Synthesizer,
    Transcript,
)

_RATE_HZ: Final = 24_000
_PEAK: Final = 8_000
_LOWEST_HZ, _STEP_HZ, _N_TONES = 300, 20, 100
_CHARACTER_S: Final = 0.05
_QUIET: Final = 50  # samples below it are silence, also after a codec


def tone_of(text: str) -> int:
    """Return the frequency, in Hz, that the mouth says `text` with."""
    return _LOWEST_HZ + _STEP_HZ * (zlib.crc32(text.encode()) % _N_TONES)


class _Script:
    """What both share: SCRIPTED_SPEECH (anything: usable), SCRIPTED_SPEECH_DELAY_S, and
    SCRIPTED_SPEECH_FAILS: "unavailable" or "refused"."""

    name = "scripted"

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._is_usable = bool(settings.get("SCRIPTED_SPEECH"))
        self._delay_s = float(settings.get("SCRIPTED_SPEECH_DELAY_S") or 0)
        self._fails = settings.get("SCRIPTED_SPEECH_FAILS", "")
        self._hears = settings.get("SCRIPTED_HEARS", "")

    def _begin(self) -> None:
        if not self._is_usable:
            raise SpeechAbsent(self._problem())
        time.sleep(self._delay_s)
        if self._fails == "unavailable":
            raise ProviderUnavailable("The scripted speech provider is down, as its script says.")
        if self._fails == "refused":
            raise ProviderRefused("The scripted speech provider refuses, as its script says.")

    def _problem(self) -> str:
        return "" if self._is_usable else "It is for tests. Set SCRIPTED_SPEECH to use it."


class ScriptedEar(_Script, Recognizer):
    """Hears SCRIPTED_HEARS in every sound, or without it the tone: "tone 440". Silence is none."""

    def standing(self) -> Standing:
        """See `Recognizer.standing`."""
        return Standing(self.name, hears=True, speaks=False, problem=self._problem())

    def recognize(self, sound: Pcm, *, language: str) -> Transcript:
        """See `Recognizer.recognize`."""
        self._begin()
        hz = _tone(sound)
        if hz == 0:
            raise NothingHeard
        return Transcript(self._hears or f"tone {hz}", language, self.name)


class ScriptedMouth(_Script, Synthesizer):
    """Says a text as one tone (`tone_of`), 50 ms a character."""

    def standing(self) -> Standing:
        """See `Synthesizer.standing`."""
        return Standing(self.name, hears=False, speaks=True, problem=self._problem())

    def synthesize(self, text: str, *, language: str, voice: str = "", speed: float = 1.0) -> Pcm:
        """See `Synthesizer.synthesize`."""
        self._begin()
        step = 2 * math.pi * tone_of(text) / _RATE_HZ
        n_samples = int(_RATE_HZ * _CHARACTER_S * max(4, len(text)) / speed)
        samples = (round(_PEAK * math.sin(step * i)) for i in range(n_samples))
        return Pcm(b"".join(struct.pack("<h", sample) for sample in samples), _RATE_HZ)


def _tone(sound: Pcm) -> int:
    """Return a tone's frequency to the next 20 Hz, by its crossings of zero; 0 for silence."""
    # Codecs make beginnings and ends unsteady; two seconds of the middle are enough.
    n_samples = len(sound.data) // 2
    n_taken = min(3 * n_samples // 4, 2 * sound.rate_hz)
    first = (n_samples - n_taken) // 2
    middle = struct.unpack_from(f"<{n_taken}h", sound.data, 2 * first)
    loud = [each for each in middle if abs(each) > _QUIET]
    if not loud:
        return 0
    crossings = sum(1 for a, b in itertools.pairwise(loud) if (a < 0) != (b < 0))
    hz = crossings / 2 / (n_taken / sound.rate_hz)
    return max(_STEP_HZ, _STEP_HZ * round(hz / _STEP_HZ))
