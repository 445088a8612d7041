"""What clients may send to /v1/chat/completions: every parameter of OpenAI's, and no other."""

from typing import Any, Literal

import msgspec

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Tier = Literal["auto", "default", "flex", "scale", "priority", "fast"]


class ContentPart(msgspec.Struct):
    """One part of a message's content. Only text can be read."""

    type: str
    text: str | None = None
    refusal: str | None = None


class CalledFunction(msgspec.Struct):
    """The function that an assistant called. `arguments` is JSON text."""

    name: str
    arguments: str = ""


class Call(msgspec.Struct):
    """One tool call of an assistant's message."""

    id: str
    type: str = "function"
    function: CalledFunction | None = None


class MessageBody(msgspec.Struct):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None
    name: str | None = None
    refusal: str | None = None
    audio: Any = None
    tool_calls: list[Call] | None = None
    function_call: CalledFunction | None = None
    tool_call_id: str | None = None


class Function(msgspec.Struct):
    """A function that the model may call. `parameters` is a JSON schema."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(msgspec.Struct):
    """A tool that the model may use. Only functions can be."""

    type: str
    function: Function | None = None


class StreamOptions(msgspec.Struct):
    """How to stream. `include_obfuscation` pads the chunks with random characters."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Moderated(msgspec.Struct):
    """What is done with what a moderation finds."""

    mode: Literal["score", "block"]


class Policy(msgspec.Struct):
    """What is moderated."""

    input: Moderated | None = None
    output: Moderated | None = None


class Moderation(msgspec.Struct):
    """A wish for moderation by a model."""

    model: str
    policy: Policy | None = None


class Prediction(msgspec.Struct):
    """What the answer will mostly be. Nothing here answers faster for it."""

    type: Literal["content"]
    content: str | list[ContentPart]


class ChatBody(msgspec.Struct, forbid_unknown_fields=True):
    """POST /v1/chat/completions."""

    model: str
    messages: list[MessageBody]
    audio: dict[str, Any] | None = None
    frequency_penalty: float | None = None
    function_call: str | dict[str, Any] | None = None
    functions: list[Function] | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    metadata: dict[str, str] | None = None
    modalities: list[Literal["text", "audio"]] | None = None
    moderation: Moderation | None = None
    n: int | None = None
    parallel_tool_calls: bool | None = None
    prediction: Prediction | None = None
    presence_penalty: float | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: Literal["in_memory", "in-memory", "24h"] | None = None
    reasoning_effort: Effort | None = None
    response_format: dict[str, Any] | None = None
    safety_identifier: str | None = None
    seed: int | None = None
    service_tier: Tier | None = None
    stop: str | list[str] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    tool_choice: str | dict[str, Any] | None = None
    tools: list[Tool] | None = None
    top_logprobs: int | None = None
    top_p: float | None = None
    user: str | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    web_search_options: dict[str, Any] | None = None
