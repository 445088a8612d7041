"""A speech server on a loopback port, scripted by the test; and sounds to send to it."""

import asyncio
import io
import math
import struct
import threading
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.openai_endpoint import FakeOpenAI, error_body
from trainerbot.speech import Pcm
from trainerbot.speech.audio import encode


@cache
def tone(seconds: float, *, rate_hz: int = 16_000, hertz: float = 440.0) -> Pcm:
    """A steady tone."""
    period = round(rate_hz / hertz)
    wave_of_one = [round(12_000 * math.sin(2 * math.pi * at / period)) for at in range(period)]
    n_samples = round(seconds * rate_hz)
    samples = (wave_of_one * (n_samples // period + 1))[:n_samples]
    return Pcm(struct.pack(f"<{n_samples}h", *samples), rate_hz)


def recording(seconds: float = 1.0, format: str = "opus") -> bytes:
    """A sound file with a tone in it."""
    return encode(tone(seconds, rate_hz=48_000), format)


@dataclass(frozen=True)
class Refusal:
    """How a provider says no, as the model server words it."""

    status: int
    code: str
    message: str = "No."


@dataclass(frozen=True)
class Asked:
    """What one request wanted."""

    model: str
    language: str
    text: str = ""
    voice: str = ""
    duration_ms: int = 0


def _set() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class Script:
    """words: what is made out, by the sound's length in ms; refusals: by provider.

    lasts_s: how long what is spoken sounds. goes_on: whatever is asked waits for it.
    """

    words: Callable[[int], str] = lambda duration_ms: "When does the library open?"
    refusals: dict[str, Refusal] = field(default_factory=dict)
    delay_s: float = 0.0
    lasts_s: float = 0.5
    goes_on: threading.Event = field(default_factory=_set)


class FakeSpeech(FakeOpenAI):
    """The server. `heard` and `spoken` hold what was asked of it, `script` what it answers."""

    def reset(self) -> None:
        super().reset()
        self.script = Script()
        self.heard: list[Asked] = []
        self.spoken: list[Asked] = []
        self.standings: list[dict[str, Any]] = []

    def _app(self) -> Starlette:
        app = super()._app()
        app.router.routes += [
            Route("/v1/audio/transcriptions", self._hear, methods=["POST"]),
            Route("/v1/audio/speech", self._speak, methods=["POST"]),
            Route("/v1/audio/providers", self._stand),
        ]
        return app

    async def _hear(self, request: Request) -> Response:
        if refusal := self._refuse(request):
            return refusal
        async with request.form() as form:
            model, language = str(form["model"]), str(form.get("language", ""))
            content = await form["file"].read()
        with wave.open(io.BytesIO(content)) as file:
            duration_ms = round(1000 * file.getnframes() / file.getframerate())
        self.heard.append(Asked(model, language, duration_ms=duration_ms))
        await self._wait()
        return self._said_no(model) or JSONResponse({"text": self.script.words(duration_ms)})

    async def _speak(self, request: Request) -> Response:
        if refusal := self._refuse(request):
            return refusal
        body = await request.json()
        model = body["model"]
        self.spoken.append(
            Asked(model, body.get("language", ""), text=body["input"], voice=body["voice"])
        )
        await self._wait()
        sound = tone(self.script.lasts_s, rate_hz=24_000)
        return self._said_no(model) or Response(sound.data, media_type="audio/pcm")

    async def _stand(self, request: Request) -> Response:
        return self._refuse(request) or JSONResponse({"data": self.standings})

    async def _wait(self) -> None:
        await asyncio.sleep(self.script.delay_s)
        await asyncio.to_thread(self.script.goes_on.wait, 20)

    def _said_no(self, model: str) -> Response | None:
        no = self.script.refusals.get(model)
        return JSONResponse(error_body(no.message, no.code), no.status) if no else None
