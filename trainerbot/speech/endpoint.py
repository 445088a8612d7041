"""Speech at an OpenAI-shaped endpoint: our own model server, OpenAI, or any other.

Imports the openai SDK (about a second); `registry.open_endpoint` does so when it is called.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import openai

from trainerbot.endpoints import Endpoint, failures
from trainerbot.endpoints.openai_sdk import client_settings, failures_in_words, patience, read_fault
from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.speech.audio import PCM_RATE_HZ, decode
from trainerbot.speech.contracts import (
    NothingHeard,
    Pcm,
    SpeechAbsent,
    Standing,
    Transcript,
    UnreadableAudio,
)

_MOST_SPOKEN_S: Final = 1_800.0
_FIRST_VOICE: Final = "alloy"  # OpenAI wants one named
_EXTENSIONS: Final = {
    "audio/ogg": "ogg",
    "audio/opus": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/mp4": "m4a",
    "audio/m4a": "m4a",
    "audio/x-m4a": "m4a",
    "audio/aac": "m4a",
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/webm": "webm",
    "video/webm": "webm",
    "video/mp4": "mp4",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
}
# What files of these kinds begin with; bare samples begin with anything, but
# an endpoint that knows no `pcm` says so by one of these or by its content type.
_FILE_MARKS: Final = (b"RIFF", b"ID3", b"OggS", b"fLaC", b"\x1aE\xdf\xa3")


class SpeechEndpoint:
    """Hears and speaks at one endpoint. Safe to use from many tasks of one event loop.

    With `is_modelserver` the provider's name is the model, and languages travel
    as whole BCP 47 tags; others are told the primary one, and take no language to speak.
    """

    def __init__(self, endpoint: Endpoint, *, is_modelserver: bool = True) -> None:
        self._endpoint = endpoint
        self._is_modelserver = is_modelserver
        self._client = openai.AsyncOpenAI(
            **client_settings(endpoint),
            http_client=openai.DefaultAsyncHttpxClient(trust_env=not endpoint.is_loopback),
        )

    async def transcribe(
        self,
        data: bytes,
        *,
        content_type: str,
        model: str,
        language: str,
        duration_s: float = 0.0,
    ) -> Transcript:
        """Return the words in an audio file; `language` is a BCP 47 tag such as ru-RU.

        `duration_s`, where it is known, lengthens the time-out: a long recording is heard for long.
        Raises UnreadableAudio for what is no recording, NothingHeard where no
        words are in it, ProviderUnavailable when the endpoint cannot be reached,
        is busy or broken, SpeechAbsent (no retry will help) when it has not got
        this provider, ProviderRefused when it says no otherwise.
        """
        kind = content_type.partition(";")[0].strip().lower()
        tag = language if self._is_modelserver else language.partition("-")[0].lower()
        with self._failures(model):
            response = await self._client.audio.transcriptions.with_raw_response.create(
                file=(f"speech.{_EXTENSIONS.get(kind, 'ogg')}", data, kind or "audio/ogg"),
                model=model,
                language=tag or openai.omit,
                response_format="json",
                timeout=patience(self._endpoint, more_s=duration_s),
            )
        text = self._object(response.content).get("text")
        if not isinstance(text, str):
            raise failures.not_openai(self._endpoint)
        if not text.strip():
            raise NothingHeard
        return Transcript(text.strip(), language, model)

    async def speak(
        self, text: str, *, model: str, language: str, voice: str = "", speed: float = 1.0
    ) -> Pcm:
        """Return `text` as sound, at 24 kHz. `voice` "" leaves it to the endpoint.

        Raises as `transcribe`; ProviderRefused for a text that nobody can say.
        """
        fields: dict[str, Any] = {"language": language} if self._is_modelserver else {}
        usual = "" if self._is_modelserver else _FIRST_VOICE
        with self._failures(model):
            answer = await self._client.audio.speech.create(
                input=text,
                model=model,
                voice=voice or usual,
                response_format="pcm",
                speed=speed if speed != 1.0 else openai.omit,
                extra_body=fields,
            )
        kind = answer.response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return await self._sound(answer.content, kind)

    async def standings(self) -> list[Standing]:
        """Return how the providers of our model server stand. Raises as `transcribe`."""
        with self._failures("speech"):
            rows = await self._client.get("/audio/providers", cast_to=object)
        try:
            return msgspec.convert(rows, type=_Standings).data
        except msgspec.ValidationError as error:
            raise failures.not_openai(self._endpoint) from error

    async def close(self) -> None:
        """Close the connections. Nothing may be asked afterwards."""
        await self._client.close()

    async def _sound(self, content: bytes, kind: str) -> Pcm:
        is_file = kind.startswith("audio/") and kind not in ("audio/pcm", "audio/l16")
        if is_file or content.startswith(_FILE_MARKS):
            try:
                return await asyncio.to_thread(
                    decode, content, rate_hz=PCM_RATE_HZ, most_s=_MOST_SPOKEN_S
                )
            except UnreadableAudio as error:
                raise failures.broken_off(self._endpoint) from error
        if kind in ("application/json", "text/html") or not content:
            raise failures.not_openai(self._endpoint)
        return Pcm(content[: len(content) - len(content) % 2], PCM_RATE_HZ)

    def _object(self, content: bytes) -> dict[str, Any]:
        try:
            return msgspec.json.decode(content, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise failures.not_openai(self._endpoint) from error

    @contextmanager
    def _failures(self, model: str) -> Iterator[None]:
        """Raise our errors: by code what our own server says, else as for any endpoint."""
        try:
            with failures_in_words(self._endpoint, f"speech model {model}"):
                yield
        except (ProviderRefused, ProviderUnavailable) as error:
            cause = error.__cause__
            if not isinstance(cause, openai.APIStatusError):
                raise
            code, said = read_fault(cause.body)
            if code == "nothing_heard":
                raise NothingHeard from error
            if code == "unreadable_audio" and said:
                raise UnreadableAudio(said) from error
            if code == "no_speech_provider" and said:
                raise SpeechAbsent(said) from error
            if not (code in _IN_OUR_WORDS and said and self._is_modelserver):
                raise
            if isinstance(error, ProviderUnavailable):
                raise ProviderUnavailable(said) from error
            raise ProviderRefused(said, code=code, status=cause.status_code) from error


# Failures whose sentence is our own server's, and fit to be read as it is.
_IN_OUR_WORDS: Final = frozenset(
    {"language_not_supported", "nothing_to_say", "voice_not_found"}
    | {"model_unavailable", "overloaded"}
)


class _Standings(msgspec.Struct):
    """The body of GET /v1/audio/providers."""

    data: list[Standing]
