"""What llama.cpp is asked, and what it answers, between our words and its own."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from trainerbot.errors import InvalidInput, ProviderUnavailable
from trainerbot.messages import ChatMessage, Role
from trainerbot.modelserver.runtimes import grammars
from trainerbot.modelserver.runtimes.base import (
    Answer,
    CallPiece,
    ContextTooLong,
    Finish,
    Options,
    Piece,
    Start,
    Tools,
    Turn,
    Unsupported,
)
from trainerbot.modelserver.runtimes.tools import CallReader, described, token_logprobs

log = logging.getLogger(__name__)

STOPPING = "stopping"


def request(
    messages: Sequence[ChatMessage], options: Options, defaults: Options, *, knows_tools: bool
) -> dict[str, Any]:
    """Return the body for handle_chat_completions.

    `knows_tools` says whether the model's chat template has words for tools.
    Raises Unsupported for a schema that no grammar keeps.
    """
    tools = options.tools
    if not knows_tools:
        messages = described(messages, tools)
    body: dict[str, Any] = {
        "messages": [_written(message) for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "stop": list(options.stop) or None,
        "seed": options.seed,
        "max_tokens": options.max_tokens,
        "grammar": _grammar(options, knows_tools=knows_tools),
        "logit_bias": [list(pair) for pair in options.logit_bias] or None,
        **{
            name: getattr(defaults, name) if given is None else given
            for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty")
            for given in [getattr(options, name)]
        },
    }
    if options.top_logprobs is not None:
        # None of the others is asked for as one: 0 would leave out the token's own.
        body |= {"logprobs": True, "top_logprobs": max(options.top_logprobs, 1)}
    if tools is not None and knows_tools:
        body |= {
            "tools": [{"type": "function", "function": dict(one)} for one in tools.functions],
            "tool_choice": "required" if tools.must_call else "auto",
            "parallel_tool_calls": tools.several,
        }
    if options.reasoning_effort is not None:
        # A template that knows neither word reads neither.
        body["chat_template_kwargs"] = {
            "reasoning_effort": options.reasoning_effort,
            "enable_thinking": options.reasoning_effort != "none",
        }
    return {name: value for name, value in body.items() if value is not None}


def _grammar(options: Options, *, knows_tools: bool) -> str | None:
    choice, shape, tools = options.choice, options.shape, options.tools
    if tools is not None and knows_tools:
        # llama.cpp has a grammar of its own then, and takes no second one.
        if choice is not None or shape is not None:
            raise Unsupported(
                "Unsupported parameter: 'response_format' is not supported together with 'tools' "
                "with this model.",
                param="response_format",
                code="unsupported_parameter",
            )
        return None
    return grammars.written(choice, shape, tools)


def _written(message: ChatMessage) -> dict[str, Any]:
    written: dict[str, Any] = {
        # Templates know the older word only.
        "role": Role.SYSTEM if message.role is Role.DEVELOPER else message.role,
        "content": message.content,
    }
    if isinstance(message, Turn):
        if message.tool_calls:
            written["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments or "{}"},
                }
                for call in message.tool_calls
            ]
        if message.tool_call_id is not None:
            written["tool_call_id"] = message.tool_call_id
        if message.name is not None:
            written["name"] = message.name
    return written


async def events(
    chunks: AsyncIterator[Mapping[str, Any]], options: Options, *, reads_calls: bool
) -> Answer:
    """Yield llama.cpp's chunks as events; with `reads_calls` calls are looked for in the text."""
    reader = None
    if reads_calls and options.tools is not None:
        reader = CallReader(options.tools)
    finish_reason, usage = "stop", dict[str, Any]()
    started = False
    async for chunk in chunks:
        if not started:
            started = True
            yield Start("llama.cpp")
        usage = chunk.get("usage") or usage
        for choice in chunk.get("choices", ()):
            finish_reason = choice.get("finish_reason") or finish_reason
            delta = choice.get("delta", {})
            for call in delta.get("tool_calls") or ():
                yield _call_piece(call)
            piece = _piece(choice, delta, options.top_logprobs)
            if piece is None:
                continue
            if reader is None:
                yield piece
            else:
                for text in reader.read(piece):
                    yield text
    if reader is not None:
        for event in reader.end():
            yield event
        finish_reason = "tool_calls" if reader.n_calls else finish_reason
    yield Finish(
        finish_reason=finish_reason,
        prompt_tokens=usage.get("prompt_tokens", 0),
        completion_tokens=usage.get("completion_tokens", 0),
        cached_tokens=(usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0),
    )


def _piece(choice: Mapping[str, Any], delta: Mapping[str, Any], n_top: int | None) -> Piece | None:
    text = delta.get("content") or ""
    tokens = (choice.get("logprobs") or {}).get("content") if n_top is not None else None
    if not text and not tokens:
        return None
    return Piece(text, token_logprobs(tokens, n_top or 0) if tokens else ())


def _call_piece(call: Mapping[str, Any]) -> CallPiece:
    function = call.get("function") or {}
    return CallPiece(
        index=call.get("index", 0),
        arguments=function.get("arguments") or "",
        id=call.get("id"),
        name=function.get("name"),
    )


def failure(error: Mapping[str, Any], context_tokens: int) -> Exception:
    """Return llama.cpp's error in our words."""
    if error.get("type") == STOPPING:
        return ProviderUnavailable("The model server is stopping. Try again in a moment.")
    if error.get("type") == "exceed_context_size_error":
        return ContextTooLong(
            f"This model's maximum context length is {context_tokens} tokens. However, your "
            f"messages resulted in {error.get('n_prompt_tokens')} tokens. "
            "Please reduce the length of the messages."
        )
    if error.get("code") == 400:
        return InvalidInput(f"The model cannot read this request: {error.get('message')}")
    log.error("llama.cpp failed: %s", error)
    return ProviderUnavailable("The language model failed on this request. Try again.")


def may_call(tools: Tools | None, messages: Sequence[ChatMessage]) -> bool:
    """Return whether the model's chat template must be asked if it knows tools."""
    return tools is not None or any(isinstance(message, Turn) for message in messages)
