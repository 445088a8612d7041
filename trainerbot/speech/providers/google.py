"""Google's speech recognition for the web, by SpeechRecognition; https, with a time-out."""

from collections.abc import Mapping
from http.client import HTTPException
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import urlsplit

from trainerbot.errors import InvalidInput, ProviderUnavailable
from trainerbot.speech.audio import encode
from trainerbot.speech.audio.editing import pieces
from trainerbot.speech.contracts import (
    SAMPLE_BYTES,
    NothingHeard,
    Pcm,
    Recognizer,
    Standing,
    Transcript,
)

# The package's own default goes over plain http.
_URL: Final = "https://www.google.com/speech-api/v2/recognize"
_TIMEOUT_S: Final = 20.0
_LONGEST_S: Final = 45.0  # it takes about a minute at once


class Google(Recognizer):
    """Hears many languages, over the network. Without a key of one's own Google may refuse.

    GOOGLE_SPEECH_KEY is a key for its Speech API; GOOGLE_SPEECH_URL another
    address, https unless it is on this machine.
    """

    name = "google"

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._key = settings.get("GOOGLE_SPEECH_KEY") or None
        self._url = checked_url(settings.get("GOOGLE_SPEECH_URL") or _URL, "GOOGLE_SPEECH_URL")

    def standing(self) -> Standing:
        """See `Recognizer.standing`."""
        absent = find_spec("speech_recognition") is None
        problem = "The package SpeechRecognition is not installed." if absent else ""
        return Standing(self.name, hears=True, speaks=False, problem=problem, is_offline=False)

    def recognize(self, sound: Pcm, *, language: str) -> Transcript:
        """See `Recognizer.recognize`."""
        heard = [self._piece(piece, language) for piece in pieces(sound, most_s=_LONGEST_S)]
        text = " ".join(words for words in heard if words)
        if not text:
            raise NothingHeard
        return Transcript(text, language, self.name)

    def _piece(self, sound: Pcm, language: str) -> str:
        import speech_recognition

        recognizer = speech_recognition.Recognizer()
        recognizer.operation_timeout = _TIMEOUT_S
        try:
            return str(
                recognizer.recognize_google(
                    _flac(sound), key=self._key, language=language, endpoint=self._url
                )
            ).strip()
        except speech_recognition.UnknownValueError:
            return ""
        except (
            speech_recognition.RequestError,
            HTTPException,
            OSError,
            ValueError,
            KeyError,
        ) as error:
            # A page instead of an answer fails in the package's parser.
            raise ProviderUnavailable(
                "Google's speech recognition did not answer. Try again, or use an offline provider."
            ) from error


def _flac(sound: Pcm) -> Any:
    """Return AudioData that makes its FLAC by PyAV: the package would start an executable."""
    import speech_recognition

    audio = speech_recognition.AudioData(sound.data, sound.rate_hz, SAMPLE_BYTES)
    audio.get_flac_data = lambda **_: encode(sound, "flac")
    return audio


def checked_url(url: str, name: str) -> str:
    """Return an address that people's voices may go to. Raises InvalidInput for another."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return url
    raise InvalidInput(f"{name} must begin with https://.")
