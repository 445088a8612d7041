"""The objects of one completion, whole or in chunks."""

import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from trainerbot.errors import TrainerBotError
from trainerbot.modelserver.api.chat.answering import Answers, Gathered, Said
from trainerbot.modelserver.api.chat.bodies import ChatBody
from trainerbot.modelserver.api.errors import as_api_error
from trainerbot.modelserver.database import new_id
from trainerbot.modelserver.runtimes.base import CallPiece, Event, Finish, Piece, TokenLogprob

Keep = Callable[[dict[str, Any]], Awaitable[None]]

_DONE = b"data: [DONE]\n\n"
_UNMODERATED = {
    "type": "error",
    "code": "moderation_unavailable",
    "message": "This server has no moderation model.",
}
# What OpenAI writes for a token too unlikely to have a number.
_LEAST_LOGPROB = -9999.0


class Writer:
    """The objects of one completion share their id, time and model.

    `keep` is given the whole completion before its end is told, so that who
    has seen the end finds it stored.
    """

    def __init__(self, body: ChatBody, keep: Keep | None = None) -> None:
        options = body.stream_options
        self._with_usage = bool(options and options.include_usage)
        self._is_padded = bool(options and options.include_obfuscation)
        self._with_logprobs = bool(body.logprobs)
        self._is_old = body.tools is None and body.functions is not None
        self._moderation = (
            {"input": _UNMODERATED, "output": _UNMODERATED} if body.moderation else None
        )
        self._keep = keep
        self._gathered = Gathered()
        self._fields = {
            "id": new_id("chatcmpl-"),
            "created": int(time.time()),
            "model": body.model,
            "service_tier": "default",
        }
        self._metadata = {} if body.metadata is None else {"metadata": body.metadata}

    async def whole(self, answers: Answers) -> dict[str, Any]:
        """Return the chat.completion object."""
        async with aclosing(answers):
            async for index, event in answers:
                self._gathered.take(index, event)
        completion = self._completion()
        if self._keep is not None:
            await self._keep(completion)
        return completion

    def _completion(self) -> dict[str, Any]:
        choices = [self._choice(index, said) for index, said in self._gathered.said.items()]
        return {
            **self._fields,
            "object": "chat.completion",
            "system_fingerprint": self._gathered.fingerprint,
            "choices": choices,
            "usage": self._gathered.usage(),
            **({"moderation": self._moderation} if self._moderation else {}),
            **self._metadata,
        }

    def _choice(self, index: int, said: Said) -> dict[str, Any]:
        text = "".join(said.text)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if said.calls and not text else text,
            "refusal": None,
            "annotations": [],
        }
        calls = [
            {"id": id, "type": "function", "function": _function(name, "".join(arguments))}
            for id, name, arguments in said.calls
        ]
        if calls and self._is_old:
            message["function_call"] = calls[0]["function"]
        elif calls:
            message["tool_calls"] = calls
        return {
            "index": index,
            "message": message,
            "logprobs": self._logprobs(said.logprobs),
            "finish_reason": self._finish_reason(said.finish),
        }

    def _finish_reason(self, finish: Finish | None) -> str:
        reason = "stop" if finish is None else finish.finish_reason
        return "function_call" if reason == "tool_calls" and self._is_old else reason

    def _logprobs(self, tokens: Sequence[TokenLogprob]) -> dict[str, Any] | None:
        if not self._with_logprobs:
            return None
        return {"content": [_token(token) for token in tokens], "refusal": None}

    async def chunks(
        self, first: tuple[int, Event], answers: Answers
    ) -> AsyncGenerator[bytes, None]:
        """Yield server-sent events: the chunks, then [DONE]; an error ends them early.

        `first` is what `answers` has yielded already.
        """
        gathered = self._gathered
        gathered.take(*first)
        # Of each chunk nearly everything is the same: it is written once.
        head = b"data: " + msgspec.json.encode(
            {
                **self._fields,
                "object": "chat.completion.chunk",
                "system_fingerprint": gathered.fingerprint,
            }
        ).removesuffix(b"}")
        tail = b',"usage":null}\n\n' if self._with_usage else b"}\n\n"

        def chunk(index: int, delta: bytes, finish: str = "null", logprobs: bytes = b"") -> bytes:
            choice = b',"choices":[{"index":%d,"delta":%s,"logprobs":%s,"finish_reason":%s}]' % (
                index,
                delta,
                logprobs or b"null",
                finish.encode(),
            )
            return head + choice + self._padding() + tail

        async with aclosing(answers):
            yield chunk(first[0], b'{"role":"assistant","content":"","refusal":null}')
            begun = {first[0]}
            try:
                async for index, event in answers:
                    gathered.take(index, event)
                    if index not in begun:
                        begun.add(index)
                        yield chunk(index, b'{"role":"assistant","content":"","refusal":null}')
                    if isinstance(event, Piece):
                        told = (
                            msgspec.json.encode(self._logprobs(event.logprobs))
                            if self._with_logprobs
                            else b""
                        )
                        text = msgspec.json.encode(event.text)
                        yield chunk(index, b'{"content":%s}' % text, logprobs=told)
                    elif isinstance(event, CallPiece):
                        yield chunk(index, msgspec.json.encode(self._call_delta(event)))
                    elif isinstance(event, Finish):
                        yield chunk(index, b"{}", f'"{self._finish_reason(event)}"')
                if self._keep is not None:
                    await self._keep(self._completion())
            except TrainerBotError as error:
                yield b"data: %s\n\n" % msgspec.json.encode(as_api_error(error).body)
                return
            if self._moderation is not None:
                moderation = msgspec.json.encode(self._moderation)
                yield head + b',"choices":[],"moderation":%s' % moderation + tail
            if self._with_usage:
                usage = msgspec.json.encode(gathered.usage())
                yield head + b',"choices":[]' + self._padding() + b',"usage":%s}\n\n' % usage
            yield _DONE

    def _call_delta(self, piece: CallPiece) -> dict[str, Any]:
        function: dict[str, Any] = {"arguments": piece.arguments}
        if piece.name is not None:
            function = {"name": piece.name, **function}
        if self._is_old:
            return {"function_call": function}
        first = {} if piece.id is None else {"id": piece.id, "type": "function"}
        return {"tool_calls": [{"index": piece.index, **first, "function": function}]}

    def _padding(self) -> bytes:
        if not self._is_padded:
            return b""
        # Random in length, so that who sees sizes only does not see the words'.
        return b',"obfuscation":"%s"' % secrets.token_urlsafe(secrets.randbelow(16) + 1).encode()


def _function(name: str, arguments: str) -> dict[str, str]:
    return {"name": name, "arguments": arguments}


def _token(token: TokenLogprob) -> dict[str, Any]:
    return {**_likely(token), "top_logprobs": _all_likely(token.top)}


def _all_likely(tokens: Iterable[TokenLogprob]) -> list[dict[str, Any]]:
    return [_likely(token) for token in tokens]


def _likely(token: TokenLogprob) -> dict[str, Any]:
    return {
        "token": token.token,
        "logprob": max(token.logprob, _LEAST_LOGPROB),
        "bytes": list(token.data),
    }
