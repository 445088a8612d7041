"""/v1/chat/completions, streaming and not."""

import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainerbot.errors import TrainerBotError
from trainerbot.messages import ChatMessage, Role
from trainerbot.modelserver.api.errors import ApiError, as_api_error, model_not_found
from trainerbot.modelserver.api.requests import ChatBody, MessageBody, in_range, read_body
from trainerbot.modelserver.api.response_format import read_choice
from trainerbot.modelserver.api.streams import Stream, unless_gone
from trainerbot.modelserver.catalog import Catalog, UnknownModel
from trainerbot.modelserver.database import new_id
from trainerbot.modelserver.runtimes.base import Answer, Finish, Options, Piece, Start

_UNSUPPORTED = ("logprobs", "logit_bias", "tools", "functions", "audio")


def routes(catalog: Catalog) -> list[Route]:
    """Return the route of /v1/chat/completions."""

    async def create(request: Request) -> Response:
        body = await read_body(request, ChatBody)
        messages, options = _messages(body.messages), _options(body)
        answer = await _answer(catalog, body.model, messages, options)
        usage_wanted = body.stream_options is not None and body.stream_options.include_usage
        writer = _Writer(body.model)
        if not body.stream:
            return JSONResponse(await unless_gone(request.receive, writer.whole(answer)))
        try:
            # Up to here a failure still has an HTTP status.
            first = await unless_gone(request.receive, anext(answer))
        except BaseException:
            await answer.aclose()
            raise
        assert isinstance(first, Start)
        return Stream(
            writer.chunks(first, answer, with_usage=usage_wanted), media_type="text/event-stream"
        )

    return [Route("/v1/chat/completions", create, methods=["POST"])]


async def _answer(
    catalog: Catalog, model: str, messages: Sequence[ChatMessage], options: Options
) -> Answer:
    try:
        return await catalog.answer(model, messages, options)
    except UnknownModel as error:
        raise model_not_found(error.model_id) from error


class _Writer:
    """The objects of one completion, which share their id, time and model."""

    def __init__(self, model: str) -> None:
        self._id = new_id("chatcmpl-")
        self._created = int(time.time())
        self._model = model

    def _object(self, kind: str, fingerprint: str, **fields: Any) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": kind,
            "created": self._created,
            "model": self._model,
            "system_fingerprint": fingerprint,
            "service_tier": "default",
            **fields,
        }

    async def whole(self, answer: Answer) -> dict[str, Any]:
        """Return the chat.completion object."""
        fingerprint, text, finish = "", [], Finish("stop", 0, 0)
        async with aclosing(answer):
            async for event in answer:
                match event:
                    case Start():
                        fingerprint = event.fingerprint
                    case Piece():
                        text.append(event.text)
                    case Finish():
                        finish = event
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "".join(text),
            "refusal": None,
            "annotations": [],
        }
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": finish.finish_reason,
        }
        return self._object("chat.completion", fingerprint, choices=[choice], usage=_usage(finish))

    async def chunks(
        self, start: Start, answer: Answer, *, with_usage: bool
    ) -> AsyncGenerator[bytes, None]:
        """Yield server-sent events: the chunks, then [DONE]; an error ends them early."""

        def chunk(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
            choice = {
                "index": 0,
                "delta": delta,
                "logprobs": None,
                "finish_reason": finish_reason,
            }
            usage = {"usage": None} if with_usage else {}
            return _event(
                self._object("chat.completion.chunk", start.fingerprint, choices=[choice], **usage)
            )

        async with aclosing(answer):
            yield chunk({"role": "assistant", "content": ""})
            try:
                async for event in answer:
                    if isinstance(event, Piece):
                        yield chunk({"content": event.text})
                    elif isinstance(event, Finish):
                        yield chunk({}, event.finish_reason)
                        if with_usage:
                            yield _event(
                                self._object(
                                    "chat.completion.chunk",
                                    start.fingerprint,
                                    choices=[],
                                    usage=_usage(event),
                                )
                            )
            except TrainerBotError as error:
                yield _event(as_api_error(error).body)
                return
            yield b"data: [DONE]\n\n"


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def _usage(finish: Finish) -> dict[str, int]:
    return {
        "prompt_tokens": finish.prompt_tokens,
        "completion_tokens": finish.completion_tokens,
        "total_tokens": finish.prompt_tokens + finish.completion_tokens,
    }


def _messages(bodies: Sequence[MessageBody]) -> list[ChatMessage]:
    if not bodies:
        raise ApiError(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got "
            "an empty array instead.",
            param="messages",
            code="empty_array",
        )
    return [
        ChatMessage(
            Role.TOOL if body.role == "function" else Role(body.role), _text(body, f"messages[{i}]")
        )
        for i, body in enumerate(bodies)
    ]


def _text(body: MessageBody, param: str) -> str:
    if body.content is None:
        if body.role == "assistant":
            return ""  # a turn that only called tools
        raise ApiError(
            f"Invalid value for '{param}.content': expected a string, got null.",
            param=f"{param}.content",
            code="invalid_type",
        )
    if isinstance(body.content, str):
        return body.content
    for part in body.content:
        if part.type != "text":
            raise ApiError(
                f"Invalid content type. '{part.type[:50]}' is not supported by this model: "
                "it reads text only.",
                param=f"{param}.content",
                code="invalid_value",
            )
    return "\n".join(part.text for part in body.content)


def _options(body: ChatBody) -> Options:
    """Return the sampling options. Raises ApiError for what is out of range or not possible."""
    for name in _UNSUPPORTED:
        if getattr(body, name):
            _refuse(name)
    if body.n not in (None, 1):
        _refuse("n")
    in_range("temperature", body.temperature, low=0, high=2)
    in_range("top_p", body.top_p, low=0, high=1)
    in_range("max_tokens", body.max_tokens, low=1)
    in_range("max_completion_tokens", body.max_completion_tokens, low=1)
    in_range("frequency_penalty", body.frequency_penalty, low=-2, high=2)
    in_range("presence_penalty", body.presence_penalty, low=-2, high=2)
    in_range("seed", body.seed, low=-(2**63), high=2**63 - 1)
    stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
    if len(stop) > 4:
        raise ApiError(
            f"Invalid 'stop': array too long. Expected an array with maximum length 4, but got "
            f"an array with length {len(stop)} instead.",
            param="stop",
            code="array_above_max_length",
        )
    limits = [n for n in (body.max_tokens, body.max_completion_tokens) if n is not None]
    return Options(
        temperature=body.temperature,
        top_p=body.top_p,
        max_tokens=min(limits, default=None),
        stop=tuple(text for text in stop if text),
        # llama.cpp's seed has 32 bits, and its highest value means "any".
        seed=None if body.seed is None else body.seed % (2**32 - 1),
        frequency_penalty=body.frequency_penalty,
        presence_penalty=body.presence_penalty,
        choice=read_choice(body.response_format),
    )


def _refuse(name: str) -> None:
    raise ApiError(
        f"Unsupported parameter: '{name}' is not supported with this model.",
        param=name,
        code="unsupported_parameter",
    )
