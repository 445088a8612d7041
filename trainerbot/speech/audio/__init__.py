"""Sound in and out of files, in memory: PyAV reads and writes, pydub cuts and levels.

No ffmpeg executable is needed, and nothing here touches a disk or a network.
"""

from trainerbot.speech.audio.editing import levelled, trimmed, waveform
from trainerbot.speech.audio.opus import load_opus
from trainerbot.speech.audio.reading import decode, resampled
from trainerbot.speech.audio.writing import CONTENT_TYPES, PCM_RATE_HZ, Encoder, encode

__all__ = [
    "CONTENT_TYPES",
    "PCM_RATE_HZ",
    "Encoder",
    "decode",
    "encode",
    "levelled",
    "load_opus",
    "resampled",
    "trimmed",
    "waveform",
]
