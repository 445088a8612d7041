"""/v1/audio: transcriptions, speech, and how the providers stand."""

import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Final, Literal

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from trainerbot.errors import TrainerBotError
from trainerbot.modelserver.api.errors import ApiError, model_not_found
from trainerbot.modelserver.api.forms import too_large
from trainerbot.modelserver.api.multipart import PartData, PartStart, boundary_of, read_parts
from trainerbot.modelserver.api.requests import in_range, read_body
from trainerbot.modelserver.api.streams import Stream, unless_gone
from trainerbot.modelserver.api.transcripts import written
from trainerbot.modelserver.runtimes.base import Overloaded
from trainerbot.modelserver.speech.desk import SpeechDesk, UnknownProvider
from trainerbot.modelserver.speech.work import Heard

log = logging.getLogger(__name__)

MOST_INPUT_CHARACTERS: Final = 4096  # OpenAI's own limit
_MOST_HELD_BYTES: Final = 128 * 1024 * 1024  # of all recordings that wait at once
_MOST_FIELD_BYTES: Final = 16 * 1024
_MOST_FIELDS: Final = 20
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_WRITTEN: Final = ("json", "text", "srt", "verbose_json", "vtt")
SoundFormat = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
_CONTENT_TYPES: Final = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
# What clients of OpenAI name, since they must name one: the provider's own choice here.
_OPENAI_VOICES: Final = frozenset(
    {"alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx"}
    | {"sage", "shimmer", "verse"}
)


class SpeechBody(msgspec.Struct):
    """POST /v1/audio/speech, and a `language` more than OpenAI has."""

    model: str
    input: str
    voice: str | dict[str, Any] | None = None
    response_format: SoundFormat | None = None
    speed: float | None = None
    language: str | None = None
    stream_format: str | None = None


def routes(desk: SpeechDesk, *, max_file_bytes: int, most_s: float) -> list[Route]:
    """Return the routes of /v1/audio. A recording has at most `most_s` seconds."""
    held = _Held(_MOST_HELD_BYTES)

    async def transcribe(request: Request) -> Response:
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > max_file_bytes + 64 * 1024:
            raise too_large(max_file_bytes)
        boundary = boundary_of(request.headers.get("content-type", ""))
        form = _Form(held, max_bytes=max_file_bytes)
        try:
            await form.read(read_parts(request.stream(), boundary))
            form.check()
            language = _language(form.fields.get("language"), desk.language)
            heard = await unless_gone(
                request.receive, _heard(desk, form, language=language, most_s=most_s)
            )
        finally:
            form.drop()
        return _transcript(heard, form.fields.get("response_format") or "json")

    async def speak(request: Request) -> Response:
        body = await read_body(request, SpeechBody)
        voice = _checked(body)
        format = body.response_format or "mp3"
        pieces = desk.say(
            body.input,
            provider=body.model,
            language=_language(body.language, desk.language),
            voice=voice,
            speed=1.0 if body.speed is None else body.speed,
            format=format,
        )
        try:
            # Up to here a failure still has an HTTP status.
            first = await unless_gone(request.receive, anext(pieces))
        except UnknownProvider as error:
            raise model_not_found(body.model) from error
        except BaseException:
            await pieces.aclose()
            raise
        return Stream(_with(first, pieces), media_type=_CONTENT_TYPES[format])

    async def providers(request: Request) -> Response:
        standings = await desk.standings()
        return JSONResponse({"object": "list", "data": msgspec.to_builtins(standings)})

    return [
        Route("/v1/audio/transcriptions", transcribe, methods=["POST"]),
        Route("/v1/audio/speech", speak, methods=["POST"]),
        Route("/v1/audio/providers", providers, methods=["GET"]),
    ]


class _Held:
    """How many bytes of recordings are in memory, for all requests together."""

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes

    def take(self, n_bytes: int) -> None:
        if n_bytes > self._left:
            raise Overloaded("Too many recordings wait already. Try again in a while.")
        self._left -= n_bytes

    def give_back(self, n_bytes: int) -> None:
        self._left += n_bytes


class _Form:
    """The fields and the recording of one transcription."""

    def __init__(self, held: _Held, *, max_bytes: int) -> None:
        self.fields: dict[str, str] = {}
        self.recording = bytearray()
        self._held = held
        self._max_bytes = max_bytes
        self._has_file = False

    async def read(self, parts: AsyncIterator[PartStart | PartData]) -> None:
        """Take in every part. Raises ApiError at the first byte too many."""
        name = ""
        async for part in parts:
            if isinstance(part, PartStart):
                name = part.name
                if name == "file" and self._has_file:
                    raise ApiError("Send one 'file' in a request.", param="file")
                self._has_file = self._has_file or name == "file"
                if name != "file":
                    self.fields[name] = ""
                    # Here, for a part without data brings nothing that could be counted.
                    if len(self.fields) > _MOST_FIELDS:
                        raise ApiError(f"Send at most {_MOST_FIELDS} fields in a form.")
            elif name == "file":
                if len(self.recording) + len(part.data) > self._max_bytes:
                    raise too_large(self._max_bytes)
                self._held.take(len(part.data))
                self.recording += part.data
            else:
                text = self.fields[name] + part.data.decode("utf-8", "replace")
                if len(text) > _MOST_FIELD_BYTES:
                    raise ApiError(f"The form field '{name[:50]}' is too long.")
                self.fields[name] = text

    def check(self) -> None:
        """Raise ApiError for what is missing, and for what is not possible here."""
        if not self._has_file:
            raise ApiError("'file' is a required property", param="file")
        if not self.fields.get("model"):
            raise ApiError("'model' is a required property", param="model")
        format = self.fields.get("response_format") or "json"
        if format not in _WRITTEN:
            raise ApiError(
                f"response_format '{format[:50]}' is not one of {list(_WRITTEN)}.",
                param="response_format",
                code="invalid_value",
            )
        if self.fields.get("stream", "").lower() == "true":
            raise _unsupported("stream")
        if "word" in (
            self.fields.get("timestamp_granularities[]"),
            self.fields.get("timestamp_granularities"),
        ):
            raise _unsupported("timestamp_granularities")

    def drop(self) -> None:
        """Free the recording."""
        self._held.give_back(len(self.recording))
        self.recording = bytearray()


async def _heard(desk: SpeechDesk, form: _Form, *, language: str, most_s: float) -> Heard:
    model = form.fields["model"]
    data = bytes(form.recording)
    try:
        return await desk.hear(data, provider=model, language=language, most_s=most_s)
    except UnknownProvider as error:
        raise model_not_found(model) from error


async def _with(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        try:
            async for piece in rest:
                yield piece
        except TrainerBotError as error:
            # Half a file is sent, so nothing but a cut connection can say that it is half.
            log.warning("A voice broke off: %s", error)
            raise ClientDisconnect from error


def _transcript(heard: Heard, format: str) -> Response:
    if format == "json":
        return JSONResponse({"text": heard.text})
    if format == "verbose_json":
        return JSONResponse(
            {
                "task": "transcribe",
                "language": heard.language,
                "duration": round(heard.duration_s, 3),
                "text": heard.text,
                "segments": [
                    {
                        "id": number,
                        "start": round(each.start_s, 3),
                        "end": round(each.end_s, 3),
                        "text": each.text,
                    }
                    for number, each in enumerate(heard.segments)
                ],
                "provider": heard.provider,
            }
        )
    kind = "text/vtt" if format == "vtt" else "text/plain"
    return PlainTextResponse(written(heard, format), media_type=kind)


def _language(given: str | None, usual: str) -> str:
    tag = (given or usual).strip()
    if not _TAG.fullmatch(tag):
        raise ApiError(
            f"Invalid language '{tag[:20]}'. Language parameter must be a tag such as 'en' or "
            "'ru-RU'.",
            param="language",
            code="invalid_language_format",
        )
    return tag.replace("_", "-")


def _checked(body: SpeechBody) -> str:
    """Return the voice that is asked for. Raises ApiError for what cannot be said."""
    in_range("speed", body.speed, low=0.25, high=4.0)
    if len(body.input) > MOST_INPUT_CHARACTERS:
        raise ApiError(
            "Invalid 'input': string too long. Expected a string with maximum length "
            f"{MOST_INPUT_CHARACTERS}, but got a string with length {len(body.input)} instead.",
            param="input",
            code="string_above_max_length",
        )
    if not any(map(str.isalnum, body.input)):
        raise ApiError(
            "Invalid 'input': there is no letter or digit in it to be said.",
            param="input",
            code="nothing_to_say",
        )
    if body.stream_format not in (None, "audio"):
        raise _unsupported("stream_format")
    if isinstance(body.voice, dict):
        raise _unsupported("voice")
    voice = body.voice or ""
    return "" if voice in _OPENAI_VOICES else voice


def _unsupported(name: str) -> ApiError:
    return ApiError(
        f"Unsupported parameter: '{name}' is not supported with this model.",
        param=name,
        code="unsupported_parameter",
    )
