"""Piper: offline, a natural voice, in the language of the voice that is given."""

import functools
import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.speech.contracts import (
    LanguageUnknown,
    Pcm,
    SpeechAbsent,
    Standing,
    Synthesizer,
    speaks,
)
from trainerbot.speech.providers.apart import Program

_TIMEOUT_S: Final = 120.0


class Piper(Synthesizer):
    """Speaks by the voices PIPER_VOICE: .onnx files with their .onnx.json beside, commas between.

    The first of the language asked for is the usual one.
    """

    name = "piper"

    def __init__(self, settings: Mapping[str, str]) -> None:
        listed = settings.get("PIPER_VOICE", "").split(",")
        self._packages = settings.get("SPEECH_PACKAGES", "")
        self._paths = [Path(each.strip()) for each in listed if each.strip()]
        self._programs: dict[Path, Program] = {}

    def standing(self) -> Standing:
        """See `Synthesizer.standing`."""
        languages = sorted({_language(path) for path in self._paths if _is_whole(path)})
        return Standing(
            self.name,
            hears=False,
            speaks=True,
            problem=self._problem(),
            languages=tuple(languages),
            voices=tuple(path.stem for path in self._paths),
        )

    def _problem(self) -> str:
        if find_spec("piper") is None:
            return "The package piper-tts is not installed."
        if not self._paths:
            return "Set PIPER_VOICE to a voice's .onnx file."
        if not all(map(_is_whole, self._paths)):
            return "A file that PIPER_VOICE names is not there, or has no .onnx.json beside it."
        return ""

    def synthesize(self, text: str, *, language: str, voice: str = "", speed: float = 1.0) -> Pcm:
        """See `Synthesizer.synthesize`."""
        if problem := self._problem():
            raise SpeechAbsent(problem)
        of_language = [path for path in self._paths if speaks((_language(path),), language)]
        if not of_language:
            raise LanguageUnknown(self.name, language)
        path = next((path for path in of_language if voice in ("", path.stem)), None)
        if path is None:
            raise ProviderRefused(
                "The speech provider piper has no such voice.", code="voice_not_found"
            )
        arguments = (str(path), self._packages)
        program = self._programs.setdefault(path, Program("piper_program.py", arguments))
        sound = program.ask({"text": text, "speed": speed}, timeout_s=_TIMEOUT_S)
        if not sound.data:
            raise ProviderUnavailable("The voice made no sound of this text. Try another.")
        return sound

    def close(self) -> None:
        """End the voices' processes."""
        for program in self._programs.values():
            program.close()


def _is_whole(path: Path) -> bool:
    return path.is_file() and path.with_name(path.name + ".json").is_file()


@functools.cache
def _language(path: Path) -> str:
    """Return the primary tag of a voice's language, "" where its description does not tell."""
    try:
        about = json.loads(path.with_name(path.name + ".json").read_text(encoding="utf-8"))
        told = about.get("language", {}).get("code") or about.get("espeak", {}).get("voice", "")
    except (OSError, ValueError, AttributeError):
        return ""
    return str(told).replace("_", "-").partition("-")[0].lower()
