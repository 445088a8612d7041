"""Speech providers by name; the one asked for is imported when it is opened."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final, cast

from trainerbot.errors import InvalidInput
from trainerbot.speech.contracts import Recognizer, Synthesizer

RECOGNIZERS: Final = {
    "google": "trainerbot.speech.providers.google.Google",
    "faster_whisper": "trainerbot.speech.providers.faster_whisper.FasterWhisper",
    "sphinx": "trainerbot.speech.providers.sphinx.Sphinx",
    "scripted": "trainerbot.speech.providers.scripted.ScriptedEar",
}
SYNTHESIZERS: Final = {
    "gtts": "trainerbot.speech.providers.gtts.Gtts",
    "espeak": "trainerbot.speech.providers.espeak.Espeak",
    "piper": "trainerbot.speech.providers.piper.Piper",
    "scripted": "trainerbot.speech.providers.scripted.ScriptedMouth",
}


def open_recognizer(name: str, settings: Mapping[str, str]) -> Recognizer:
    """Return who hears, by name; `settings` are environment-like (FASTER_WHISPER_MODEL, ...).

    Loads no model yet. Raises InvalidInput for a name that is none.
    """
    return cast("Recognizer", _open(RECOGNIZERS, name, settings))


def open_synthesizer(name: str, settings: Mapping[str, str]) -> Synthesizer:
    """Return who speaks, by name, as `open_recognizer` does."""
    return cast("Synthesizer", _open(SYNTHESIZERS, name, settings))


def _open(known: Mapping[str, str], name: str, settings: Mapping[str, str]) -> object:
    if name not in known:
        raise InvalidInput(f"There is no speech provider {name}. Use {', '.join(known)}.")
    module, _, of = known[name].rpartition(".")
    return getattr(import_module(module), of)(settings)
