"""Whisper on this machine, by faster-whisper: many languages, once its model is there."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from trainerbot.errors import ProviderRefused
from trainerbot.speech.audio import resampled
from trainerbot.speech.contracts import (
    HEARD_RATE_HZ,
    LanguageUnknown,
    NothingHeard,
    Pcm,
    Recognizer,
    Segment,
    SpeechAbsent,
    Standing,
    Transcript,
)

_FULL_SCALE: Final = 32_768.0
_MOST_THREADS: Final = 4


class FasterWhisper(Recognizer):
    """Hears by the model FASTER_WHISPER_MODEL: a folder, or a name such as "small".

    A name is fetched from its hub at the first use, and then lies in the hub's
    cache; a folder needs no network. FASTER_WHISPER_DEVICE is cpu, cuda or auto.
    """

    name = "faster_whisper"

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._model = settings.get("FASTER_WHISPER_MODEL", "").strip()
        self._device = settings.get("FASTER_WHISPER_DEVICE", "").strip() or "cpu"
        self._loaded: Any = None

    def standing(self) -> Standing:
        """See `Recognizer.standing`."""
        return Standing(self.name, hears=True, speaks=False, problem=self._problem())

    def _problem(self) -> str:
        if find_spec("faster_whisper") is None:
            return "The package faster-whisper is not installed."
        if not self._model:
            return "Set FASTER_WHISPER_MODEL to a model's folder, or to a name such as small."
        if os.sep in self._model and not Path(self._model).is_dir():
            return "The folder that FASTER_WHISPER_MODEL names is not there."
        return ""

    def recognize(self, sound: Pcm, *, language: str) -> Transcript:
        """See `Recognizer.recognize`."""
        import numpy

        model = self._opened()
        primary = language.partition("-")[0].lower()
        if primary not in model.supported_languages:
            raise LanguageUnknown(self.name, language)
        samples = numpy.frombuffer(resampled(sound, HEARD_RATE_HZ).data, dtype="<i2")
        found, _ = model.transcribe(
            samples.astype("float32") / _FULL_SCALE,
            language=primary,
            condition_on_previous_text=False,
        )
        segments = tuple(
            Segment(each.start, each.end, each.text.strip()) for each in found if each.text.strip()
        )
        if not segments:
            raise NothingHeard
        text = " ".join(segment.text for segment in segments)
        return Transcript(text, language, self.name, segments)

    def _opened(self) -> Any:
        if problem := self._problem():
            raise SpeechAbsent(problem)
        if self._loaded is None:
            from faster_whisper import WhisperModel

            try:
                self._loaded = WhisperModel(
                    self._model,
                    device=self._device,
                    compute_type="int8" if self._device == "cpu" else "default",
                    cpu_threads=min(_MOST_THREADS, os.cpu_count() or 1),
                )
            except (OSError, ValueError, RuntimeError) as error:
                raise ProviderRefused(
                    "The model that FASTER_WHISPER_MODEL names could not be loaded. Correct the "
                    "setting; a name needs the network once."
                ) from error
        return self._loaded
