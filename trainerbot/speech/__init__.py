"""From sound to words and back. Providers are reached by name (`registry`)."""

from trainerbot.speech.contracts import (
    LanguageUnknown,
    NothingHeard,
    Pcm,
    Recognizer,
    Segment,
    SpeechAbsent,
    Standing,
    Synthesizer,
    Transcript,
    UnreadableAudio,
    speaks,
)

__all__ = [
    "LanguageUnknown",
    "NothingHeard",
    "Pcm",
    "Recognizer",
    "Segment",
    "SpeechAbsent",
    "Standing",
    "Synthesizer",
    "Transcript",
    "UnreadableAudio",
    "speaks",
]
