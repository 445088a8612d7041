"""Chat at any OpenAI-shaped endpoint, by one shared AsyncOpenAI."""

import asyncio
import base64
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from typing import Any, Final
from urllib.request import getproxies

import httpx2
import msgspec
import openai

from trainerbot.endpoints import Endpoint, ModelInfo, failures
from trainerbot.endpoints.openai_sdk import (
    client_settings,
    failures_in_words,
    read_fault,
    read_models,
)
from trainerbot.llm.contracts import CannotSee, ChatModel, Completion, Delta, Usage
from trainerbot.llm.events import DONE, Chunk, Fault, WireError, decode_chunk, read_events
from trainerbot.llm.providers.aiohttp_transport import IS_COMPLETE, AiohttpTransport
from trainerbot.llm.providers.asking import AskingClient
from trainerbot.messages import ChatMessage

logger = logging.getLogger(__name__)

# What some models refuse by name, and what to send in its place (None: nothing).
# It is tried once and remembered for the model.
_SUBSTITUTES: Final = {
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": "max_tokens",
    "stream_options": None,
    "temperature": None,
    "response_format": None,
}
# Said of a name, not of its value: "max_tokens is too large" must reach the asker.
_UNSUPPORTED: Final = re.compile(
    r"un(supported|recognized|known|expected)|not (supported|support|permitted|allowed)|extra",
    re.IGNORECASE,
)
# Said of pictures, by a model or server that takes none ...
_OF_PICTURES: Final = re.compile(
    r"image|vision|multi-?modal|picture|content.{0,40}string", re.IGNORECASE | re.DOTALL
)
_UNABLE: Final = re.compile(
    r"\b(not|no|only|cannot|can't|un(supported|known|expected|recognized)|string)\b"
    r"|invalid (content )?(type|value)",
    re.IGNORECASE,
)
# ... and not of this one picture.
_OF_THIS_PICTURE: Final = re.compile(
    r"too (large|big|small|many)|exceed|corrupt|decode|download|base64|format", re.IGNORECASE
)


class OpenAICompatibleChat(ChatModel):
    """A `ChatModel` on the openai SDK.

    Requests are written and chunks are parsed here: the SDK's own objects
    cost three times the processor time, and its line reader breaks at U+2028
    within an answer. Its client sends, waits and tries again.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        road = _road(endpoint)
        self._client = AskingClient(
            **client_settings(endpoint), http_client=_http_client(road), road=road
        )
        self._refused_names: dict[str, set[str]] = {}
        self._blind: set[str] = set()  # models that refused a picture

    async def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        model: str,
        temperature: float | None = None,
        max_tokens: int | None = None,
        choices: Sequence[str] = (),
    ) -> AsyncGenerator[Delta | Completion, None]:
        """See `ChatModel.stream`."""
        streams = self._endpoint.streams
        asked = {
            "messages": [_written(message) for message in messages],
            "model": model,
            "temperature": temperature,
            "max_tokens": max_tokens,
            "stream": streams or None,
            "stream_options": {"include_usage": True} if streams else None,
            "response_format": _one_of(choices) if choices else None,
        }
        shows_pictures = any(message.images for message in messages)
        if shows_pictures and model in self._blind:
            raise CannotSee(model)
        answer = _Answer(model)
        with failures_in_words(self._endpoint, f"model {model}"):
            # Retries count as silence too, however long they back off.
            async with asyncio.timeout(self._endpoint.timeout_s):
                response = await self._open(asked, shows_pictures=shows_pictures)
            try:
                refused = self._refused_names.get(model, ())
                answer.is_constrained = bool(choices) and "response_format" not in refused
                async for text in self._pieces(response, answer, model):
                    yield Delta(text)
            finally:
                await response.aclose()
        if not answer.ended:
            raise failures.broken_off(self._endpoint)
        yield answer.completion()

    async def _pieces(
        self, response: httpx2.Response, answer: "_Answer", model: str
    ) -> AsyncGenerator[str, None]:
        """Yield the words of the response's body as they come, and collect them in `answer`.

        Words that came together stay together: an endpoint that is quicker than whoever
        reads would else have each of them handed on by itself.
        """
        kind = response.headers.get("content-type", "").partition(";")[0].strip()
        if kind == "text/event-stream":
            pieces = read_events(_body(response), silence_s=self._endpoint.timeout_s)
        elif kind == "application/json":  # It was not asked to stream, or cannot.
            pieces = _whole(b"".join([piece async for piece in _body(response)]))
        else:
            raise failures.not_openai(self._endpoint)
        try:
            async for events in pieces:
                text, fault = answer.take(events)
                if text:
                    yield text
                if isinstance(fault, WireError):
                    raise fault
                if fault is not None:
                    raise self._fault(fault, model)
                # Read to the end where that is there already: what is left in the middle
                # is cleaned up by the loop, one task for each generator.
                if answer.is_done and not response.extensions.get(IS_COMPLETE, lambda: False)():
                    break
        except WireError as error:
            raise failures.not_openai(self._endpoint) from error

    async def models(self) -> list[ModelInfo]:
        """See `ChatModel.models`."""
        with failures_in_words(self._endpoint, "a list of models"):
            response = await self._client.models.with_raw_response.list()
        return read_models(self._endpoint, response.content)

    async def close(self) -> None:
        """See `ChatModel.close`."""
        await self._client.close()

    async def _open(self, asked: dict[str, Any], *, shows_pictures: bool) -> httpx2.Response:
        """Return the response, its body yet unread, after learning what the model refuses."""
        model = asked["model"]
        refused = self._refused_names.setdefault(model, set())
        left_out: set[str] = set()
        while True:
            request = _without(asked, refused | left_out)
            try:
                response = await self._client.ask(msgspec.json.encode(request))
            except openai.APIStatusError as error:
                if shows_pictures and _is_blind(error):
                    self._blind.add(model)
                    logger.info("%s takes no pictures at %s", model, self._endpoint.name)
                    raise CannotSee(model) from error
                if error.status_code not in (400, 422):
                    raise
                name = _refused_name(error, request)
                if name is None or name not in asked:
                    raise  # Not about a name, or about the substitute as well.
                left_out.add(name)
            else:
                if learned := left_out - refused:
                    # Only now is it known that this was the reason.
                    refused |= learned
                    logger.info("%s does not take %s", self._endpoint.name, ", ".join(learned))
                return response

    def _fault(self, fault: Fault | str, model: str) -> Exception:
        """Return the error for what an endpoint says within a stream, after its HTTP 200."""
        code, said = (None, fault) if isinstance(fault, str) else (fault.code, fault.message)
        status = int(code) if code is not None and str(code).isdecimal() else 500
        return failures.refused(
            self._endpoint,
            status=status if 400 <= status < 600 else 500,
            code=None if code is None else str(code),
            said=said,
            subject=f"model {model}",
        )


def _road(endpoint: Endpoint) -> AiohttpTransport | None:
    """Return what sends requests; None where the way out leads through a proxy."""
    if not endpoint.is_loopback and getproxies():
        return None
    return AiohttpTransport(is_secure=endpoint.base_url.startswith("https:"))


def _http_client(road: AiohttpTransport | None) -> httpx2.AsyncClient:
    """Return what sends the SDK's requests: its own where there is no road of ours."""
    if road is None:
        return openai.DefaultAsyncHttpxClient()
    return openai.DefaultAsyncHttpxClient(transport=road, trust_env=False)


def _body(response: httpx2.Response) -> AsyncIterable[bytes]:
    """Return the body's bytes as they come; as they are, where nobody packed them."""
    if "content-encoding" in response.headers:
        return response.aiter_bytes()
    assert isinstance(response.stream, httpx2.AsyncByteStream)  # of an async client
    return response.stream


class _Answer:
    """An answer as it grows."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._pieces: list[str] = []
        self._usage = Usage()
        self._finish_reason: str | None = None
        self._fingerprint: str | None = None
        self.ended = False
        self.is_done = False
        self.is_constrained = False

    def take(self, events: Sequence[bytes]) -> tuple[str, Fault | str | WireError | None]:
        """Take in the data of some events; return their words, and what went wrong after these.

        That is what the endpoint says, or WireError where an event is none of OpenAI's.
        """
        n_before = len(self._pieces)
        fault: Fault | str | WireError | None = None
        for event in events:
            if event == DONE:
                self.ended = self.is_done = True
            if self.is_done:
                continue  # what follows is no part of the answer
            try:
                chunk = decode_chunk(event)
            except WireError as error:
                fault = error
                break
            if (fault := chunk.error) is not None:
                break
            self._add(chunk)
        return "".join(self._pieces[n_before:]), fault

    def _add(self, chunk: Chunk) -> None:
        self._model = chunk.model or self._model
        self._fingerprint = chunk.system_fingerprint or self._fingerprint
        if chunk.usage:
            self._usage = Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        choice = chunk.first
        if choice is None:
            return
        if choice.finish_reason:
            self._finish_reason = choice.finish_reason
            self.ended = True
        if text := choice.text:
            self._pieces.append(text)

    def completion(self) -> Completion:
        """Return the whole of it."""
        return Completion(
            text="".join(self._pieces),
            model=self._model,
            usage=self._usage,
            finish_reason=self._finish_reason,
            system_fingerprint=self._fingerprint,
            is_constrained=self.is_constrained,
        )


def _written(message: ChatMessage) -> dict[str, Any]:
    """Return a message as OpenAI writes it, pictures as data URIs behind the words."""
    if not message.images:
        return {"role": str(message.role), "content": message.content}
    parts: list[dict[str, Any]] = []
    if message.content.strip():
        parts.append({"type": "text", "text": message.content})
    for image in message.images:
        data = base64.b64encode(image.data).decode("ascii")
        url = f"data:{image.media_type};base64,{data}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return {"role": str(message.role), "content": parts}


def _is_blind(error: openai.APIStatusError) -> bool:
    """Whether an endpoint's refusal says that the model takes no pictures."""
    if error.status_code not in (400, 404, 415, 422, 500, 501):
        return False
    _, said = read_fault(error.body)
    words = said or error.message
    return bool(
        _OF_PICTURES.search(words) and _UNABLE.search(words) and not _OF_THIS_PICTURE.search(words)
    )


def _one_of(choices: Sequence[str]) -> dict[str, Any]:
    """Return the `response_format` of an answer that is one of `choices`."""
    schema = {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": list(choices)}},
        "required": ["label"],
        "additionalProperties": False,
    }
    return {
        "type": "json_schema",
        "json_schema": {"name": "label", "schema": schema, "strict": True},
    }


async def _whole(body: bytes) -> AsyncIterator[list[bytes]]:
    yield [body]


def _without(asked: dict[str, Any], refused: set[str]) -> dict[str, Any]:
    """Return the request with refused names exchanged or left out, and no None in it."""
    request: dict[str, Any] = {}
    for name, value in asked.items():
        sent = _SUBSTITUTES[name] if name in refused else name
        if sent is not None and value is not None:
            request[sent] = value
    return request


def _refused_name(error: openai.APIStatusError, request: dict[str, Any]) -> str | None:
    """Return which of the names that we can do without the endpoint does not support."""
    code, said = read_fault(error.body)
    complaint = f"{code} {error.param} {said or error.message}"
    if _UNSUPPORTED.search(complaint):
        # One about max_tokens often names max_completion_tokens as the remedy, so
        # only what was sent counts.
        for name in _SUBSTITUTES:
            if name in request and name in complaint:
                return name
    # Each server words this one differently, and some not at all.
    of_the_text = code == "content_filter" or failures.is_too_long(code, said)
    return "response_format" if "response_format" in request and not of_the_text else None
