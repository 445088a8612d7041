"""Speech providers by name; the one asked for is imported when it is opened."""

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from trainerbot.endpoints import Endpoint
from trainerbot.errors import InvalidInput
from trainerbot.speech.contracts import Recognizer, Synthesizer

if TYPE_CHECKING:
    from trainerbot.speech.endpoint import SpeechEndpoint

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

    Loads no model yet. SPEECH_PACKAGES is a folder with further packages for
    providers. Raises InvalidInput for a name that is none.
    """
    return cast("Recognizer", _open(RECOGNIZERS, name, settings))


def open_synthesizer(name: str, settings: Mapping[str, str]) -> Synthesizer:
    """Return who speaks, by name, as `open_recognizer` does."""
    return cast("Synthesizer", _open(SYNTHESIZERS, name, settings))


def open_endpoint(endpoint: Endpoint, *, is_modelserver: bool = True) -> "SpeechEndpoint":
    """Return a way to the speech at `endpoint`. Connects to nothing yet; close what is returned.

    The first call imports the openai SDK, which takes a second: make it in a thread.
    """
    module = import_module("trainerbot.speech.endpoint")
    return cast("SpeechEndpoint", module.SpeechEndpoint(endpoint, is_modelserver=is_modelserver))


def _open(known: Mapping[str, str], name: str, settings: Mapping[str, str]) -> object:
    packages = settings.get("SPEECH_PACKAGES", "")
    if packages and packages not in sys.path:
        # Last, so that nothing of ours is exchanged for what came along there.
        sys.path.append(packages)
    if name not in known:
        raise InvalidInput(f"There is no speech provider {name}. Use {', '.join(known)}.")
    module, _, of = known[name].rpartition(".")
    return getattr(import_module(module), of)(settings)
