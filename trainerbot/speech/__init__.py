"""From sound to words and back. Providers are reached by name (`registry`)."""

from trainerbot.speech.contracts import (
    NothingHeard,
    Pcm,
    Recognizer,
    Standing,
    Synthesizer,
    Transcript,
    UnreadableAudio,
    speaks,
)

__all__ = [
    "NothingHeard",
    "Pcm",
    "Recognizer",
    "Standing",
    "Synthesizer",
    "Transcript",
    "UnreadableAudio",
    "speaks",
]
