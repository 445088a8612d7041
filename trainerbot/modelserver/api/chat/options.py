"""The options of a request: in range, possible here, or refused by their name."""

from typing import NoReturn

from trainerbot.modelserver.api.chat import shapes, tools
from trainerbot.modelserver.api.chat.bodies import ChatBody
from trainerbot.modelserver.api.chat.conversation import part_text
from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.api.requests import check_metadata, in_range
from trainerbot.modelserver.runtimes import grammars
from trainerbot.modelserver.runtimes.base import Options

_MAX_ANSWERS = 128
_MAX_CHARACTERS = {"safety_identifier": 128, "prompt_cache_key": 1024, "user": 1024}
_MOST_TOKENS = 2**31 - 1


def read(body: ChatBody) -> Options:
    """Return the options. Raises ApiError for what is out of range or not possible."""
    _check_possible(body)
    _check_ranges(body)
    choice, shape = shapes.read(body.response_format)
    callable_tools = tools.read(body)
    grammars.check(shape, callable_tools)
    limits = [
        # llama.cpp counts in 32 bits; nobody can wait for so many tokens.
        min(n, _MOST_TOKENS)
        for n in (body.max_tokens, body.max_completion_tokens)
        if n is not None
    ]
    return Options(
        temperature=body.temperature,
        top_p=body.top_p,
        max_tokens=min(limits, default=None),
        stop=_stop(body),
        # llama.cpp's seed has 32 bits, and its highest value means "any".
        seed=None if body.seed is None else body.seed % (2**32 - 1),
        frequency_penalty=body.frequency_penalty,
        presence_penalty=body.presence_penalty,
        choice=choice,
        shape=shape,
        top_logprobs=(body.top_logprobs or 0) if body.logprobs else None,
        logit_bias=_logit_bias(body.logit_bias),
        tools=callable_tools,
        reasoning_effort=body.reasoning_effort,
    )


def _check_possible(body: ChatBody) -> None:
    # What `audio` describes is asked for by `modalities` only.
    if body.modalities is not None and "audio" in body.modalities:
        _refuse("modalities", "Audio output is not supported with this model.")
    if body.modalities is not None and not body.modalities:
        raise ApiError(
            "Invalid 'modalities': empty array. Expected an array with minimum length 1, but got "
            "an empty array instead.",
            param="modalities",
            code="empty_array",
        )
    # A web search is a tool, which `tool_choice` "none" keeps the model from using.
    if body.web_search_options is not None and body.tool_choice != "none":
        _refuse("web_search_options", "Web search options not supported with this model.")
    if body.moderation is not None and (policy := body.moderation.policy) is not None:
        for name, moderated in (("input", policy.input), ("output", policy.output)):
            if moderated is not None and moderated.mode == "block":
                # Scores may be missing; a promise to block may not be broken.
                _refuse(f"moderation.policy.{name}", "This server has no moderation model.")
    if body.stream_options is not None and body.stream is None:
        raise ApiError(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    if body.top_logprobs is not None and not body.logprobs:
        raise ApiError(
            "Invalid value for 'top_logprobs': 'logprobs' must be set to true to use "
            "'top_logprobs'.",
            param="top_logprobs",
        )
    if body.prediction is not None and not isinstance(body.prediction.content, str):
        for i, part in enumerate(body.prediction.content):
            part_text(part, "prediction.content", i)


def _check_ranges(body: ChatBody) -> None:
    in_range("temperature", body.temperature, low=0, high=2)
    in_range("top_p", body.top_p, low=0, high=1)
    in_range("max_tokens", body.max_tokens, low=0)
    in_range("max_completion_tokens", body.max_completion_tokens, low=0)
    in_range("frequency_penalty", body.frequency_penalty, low=-2, high=2)
    in_range("presence_penalty", body.presence_penalty, low=-2, high=2)
    in_range("seed", body.seed, low=-(2**63), high=2**63 - 1)
    in_range("n", body.n, low=1, high=_MAX_ANSWERS)
    in_range("top_logprobs", body.top_logprobs, low=0, high=20)
    check_metadata(body.metadata)
    for name, most in _MAX_CHARACTERS.items():
        value = getattr(body, name)
        if value is not None and len(value) > most:
            raise ApiError(
                f"Invalid '{name}': string too long. Expected a string with maximum length "
                f"{most}, but got a string with length {len(value)} instead.",
                param=name,
                code="string_above_max_length",
            )


def _stop(body: ChatBody) -> tuple[str, ...]:
    stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
    if len(stop) > 4:
        raise ApiError(
            f"Invalid 'stop': array too long. Expected an array with maximum length 4, but got "
            f"an array with length {len(stop)} instead.",
            param="stop",
            code="array_above_max_length",
        )
    return tuple(text for text in stop if text)


def _logit_bias(given: dict[str, float] | None) -> tuple[tuple[int, float], ...]:
    pairs = []
    for token, bias in (given or {}).items():
        in_range(f"logit_bias.{token[:30]}", bias, low=-100, high=100)
        if not bias:
            continue  # changes nothing, whatever token it is
        if not (token.isascii() and token.isdigit() and len(token) <= 9):
            raise ApiError(
                f"Invalid key in 'logit_bias': {token[:50]}. You should only be submitting "
                "non-negative integers.",
                param="logit_bias",
            )
        pairs.append((int(token), bias))
    return tuple(pairs)


def _refuse(param: str, message: str) -> NoReturn:
    raise ApiError(message, param=param, code="unsupported_parameter")
