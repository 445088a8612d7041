"""Google Translate's voice, by gTTS: many languages, over the network."""

import base64
import binascii
import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Final

import requests

from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.speech.audio import decode
from trainerbot.speech.contracts import (
    LanguageUnknown,
    Pcm,
    SpeechAbsent,
    Standing,
    Synthesizer,
    UnreadableAudio,
    speaks,
)
from trainerbot.speech.providers.google import checked_url

_URL: Final = "https://translate.google.com/_/TranslateWebserverUi/data/batchexecute"
_TIMEOUT_S: Final = (5.0, 20.0)
_RATE_HZ: Final = 24_000
_MOST_S: Final = 120.0  # of one of its answers, which hold a hundred characters
_SOUND: Final = re.compile(rb'jQ1olc","\[\\"(.*)\\"]')


class Gtts(Synthesizer):
    """Speaks as Google Translate does. GTTS_URL is another address, https or on this machine.

    gTTS writes the requests; they are sent here, since gTTS sends them
    without looking at the server's certificate.
    """

    name = "gtts"

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._url = checked_url(settings.get("GTTS_URL") or _URL, "GTTS_URL")

    def standing(self) -> Standing:
        """See `Synthesizer.standing`."""
        absent = find_spec("gtts") is None
        problem = "The package gTTS is not installed." if absent else ""
        return Standing(
            self.name,
            hears=False,
            speaks=True,
            problem=problem,
            languages=() if absent else _languages(),
            is_offline=False,
        )

    def synthesize(self, text: str, *, language: str, voice: str = "", speed: float = 1.0) -> Pcm:
        """See `Synthesizer.synthesize`. It has one voice, and two speeds."""
        standing = self.standing()
        if standing.problem:
            raise SpeechAbsent(standing.problem)
        if not speaks(standing.languages, language):
            raise LanguageUnknown(self.name, language)
        if voice:
            raise ProviderRefused(
                "The speech provider gtts has no voices to choose from.", code="voice_not_found"
            )
        from gtts import gTTS

        spoken = gTTS(text, lang=_closest(language), slow=speed < 0.75, lang_check=False)
        samples = bytearray()
        with requests.Session() as session:
            for body in spoken.get_bodies():
                samples += self._asked(session, body, spoken.GOOGLE_TTS_HEADERS).data
        return Pcm(bytes(samples), _RATE_HZ)

    def _asked(self, session: requests.Session, body: str, headers: Any) -> Pcm:
        try:
            answer = session.post(self._url, data=body, headers=headers, timeout=_TIMEOUT_S)
            answer.raise_for_status()
            found = _SOUND.search(answer.content)
            if found is None:
                raise UnreadableAudio("The answer holds no sound.")
            data = base64.b64decode(found[1])
            return decode(data, rate_hz=_RATE_HZ, most_s=_MOST_S)
        except (requests.RequestException, UnreadableAudio, binascii.Error) as error:
            raise ProviderUnavailable(
                "Google's voice did not answer. Try again, or use an offline provider."
            ) from error


def _languages() -> tuple[str, ...]:
    from gtts.lang import tts_langs

    return tuple(sorted({tag.partition("-")[0].lower() for tag in tts_langs()}))


def _closest(language: str) -> str:
    """Return gTTS's own word for a BCP 47 tag."""
    from gtts.lang import tts_langs

    known: dict[str, str] = {tag.lower(): tag for tag in tts_langs()}
    primary = language.partition("-")[0].lower()
    if (tag := known.get(language.lower())) is not None:
        return tag
    return known.get(primary) or next(tag for key, tag in known.items() if key.startswith(primary))
