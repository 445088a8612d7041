"""PocketSphinx: offline, English, small. With a grammar it hears only what that allows."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from trainerbot.errors import ProviderRefused
from trainerbot.speech.audio import resampled
from trainerbot.speech.audio.editing import pieces
from trainerbot.speech.contracts import (
    HEARD_RATE_HZ,
    LanguageUnknown,
    NothingHeard,
    Pcm,
    Recognizer,
    SpeechAbsent,
    Standing,
    Transcript,
    speaks,
)

_LANGUAGES: Final = ("en",)
_LONGEST_S: Final = 30.0  # its search grows with what it hears at once


class Sphinx(Recognizer):
    """Hears English by the model that its package brings.

    SPHINX_GRAMMAR is a JSGF file: only its sentences are heard, and those well.
    """

    name = "sphinx"

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._grammar = settings.get("SPHINX_GRAMMAR", "").strip()
        self._decoder: Any = None

    def standing(self) -> Standing:
        """See `Recognizer.standing`."""
        problem = ""
        if find_spec("pocketsphinx") is None:
            problem = "The package pocketsphinx is not installed."
        elif self._grammar and not Path(self._grammar).is_file():
            problem = "The file that SPHINX_GRAMMAR names is not there."
        return Standing(self.name, hears=True, speaks=False, problem=problem, languages=_LANGUAGES)

    def recognize(self, sound: Pcm, *, language: str) -> Transcript:
        """See `Recognizer.recognize`."""
        if not speaks(_LANGUAGES, language):
            raise LanguageUnknown(self.name, language)
        decoder = self._opened()
        heard = [
            self._piece(decoder, piece)
            for piece in pieces(resampled(sound, HEARD_RATE_HZ), most_s=_LONGEST_S)
        ]
        text = " ".join(words for words in heard if words)
        if not text:
            raise NothingHeard
        return Transcript(text, language, self.name)

    def _piece(self, decoder: Any, sound: Pcm) -> str:
        decoder.start_utt()
        try:
            decoder.process_raw(sound.data, no_search=False, full_utt=True)
        finally:
            decoder.end_utt()
        # A grammar that nothing fits gives no hypothesis, silence an empty one.
        hypothesis = decoder.hyp()
        return "" if hypothesis is None else hypothesis.hypstr.strip()

    def _opened(self) -> Any:
        if problem := self.standing().problem:
            raise SpeechAbsent(problem)
        if self._decoder is None:
            from pocketsphinx import Decoder

            # SpeechRecognition's recognize_sphinx(grammar=...) fails with
            # PocketSphinx 5, and loads its model anew each time.
            search = {"jsgf": self._grammar, "lm": None} if self._grammar else {}
            try:
                self._decoder = Decoder(samprate=HEARD_RATE_HZ, loglevel="FATAL", **search)
            except (RuntimeError, ValueError, OSError) as error:
                raise ProviderRefused(
                    "SPHINX_GRAMMAR is no JSGF grammar of words that PocketSphinx knows."
                ) from error
        return self._decoder
