"""What went wrong at an endpoint, in a sentence that names it and the remedy, never the key."""

import re
from typing import Final

from trainerbot.endpoints.endpoint import Endpoint
from trainerbot.errors import ProviderRefused, ProviderUnavailable, TrainerBotError

_MAX_TOLD: Final = 300  # characters of an endpoint's own words that are passed on
TOO_LONG: Final = "context_length_exceeded"
# vLLM, llama.cpp and others say in words what OpenAI says by its code.
_TOO_LONG_IN_WORDS: Final = re.compile(
    r"(maximum|exceeds? the( available)?) context (length|size|window)", re.I
)
_SECRET: Final = re.compile(r"\b(?:sk|key|pat|hf)[-_][\w*.-]{6,}", re.IGNORECASE)


def unreachable(endpoint: Endpoint) -> ProviderUnavailable:
    """Return the error for a connection that could not be made or was cut before an answer."""
    return ProviderUnavailable(
        f"The model endpoint {_who(endpoint)} cannot be reached. Start it, or correct its "
        "address in the settings."
    )


def timed_out(endpoint: Endpoint) -> ProviderUnavailable:
    """Return the error for a silence longer than the endpoint's `timeout_s`."""
    return ProviderUnavailable(
        f"The model endpoint {_who(endpoint)} said nothing for {endpoint.timeout_s:g} s. "
        "Try again, or allow it more time in the settings."
    )


def broken_off(endpoint: Endpoint) -> ProviderUnavailable:
    """Return the error for an answer that stopped before its end."""
    return ProviderUnavailable(
        f"The model endpoint {_who(endpoint)} broke off in the middle of its answer. Try again."
    )


def not_openai(endpoint: Endpoint) -> ProviderRefused:
    """Return the error for an answer that is no OpenAI API's."""
    return ProviderRefused(
        f"What answers at {_who(endpoint)} is not an OpenAI-compatible API. Correct its address "
        "in the settings; most end in /v1."
    )


def not_embeddings(endpoint: Endpoint, model: str) -> ProviderRefused:
    """Return the error for an answer that is no vectors of the texts that were sent."""
    return ProviderRefused(
        f"What {_who(endpoint)} answered for the model {model} is not one vector for each text. "
        "Choose a model that is made for embeddings."
    )


def refused(
    endpoint: Endpoint,
    *,
    status: int,
    code: str | None = None,
    said: str | None = None,
    subject: str | None = None,
) -> TrainerBotError:
    """Return the error for an answer that says no.

    `status` is HTTP's, `code` and `said` are the endpoint's own (`error.code`,
    `error.message`); `subject` is what was asked for, as in "model gpt-5". Busy
    and broken endpoints (408, 409, 429, 5xx) make ProviderUnavailable, the
    rest ProviderRefused, with code TOO_LONG for a text beyond the context. Keys
    in `said` are struck out.
    """
    who = _who(endpoint)
    told = _fit_to_show(said, endpoint)
    what = subject or "what was asked for"
    if code == "insufficient_quota":
        return ProviderRefused(
            f"The account at {who} has no credit left. Add some there, or choose another endpoint.",
            code=code,
            status=status,
        )
    if status == 429:
        return ProviderUnavailable(
            f"The model endpoint {who} takes no more requests just now. Wait a minute, then try "
            "again."
        )
    if status in (408, 409) or status >= 500:
        return ProviderUnavailable(
            f"The model endpoint {who} failed (HTTP {status}). Try again in a while."
        )
    if status == 401:
        return ProviderRefused(
            f"The model endpoint {who} does not accept the API key. Put a valid one into the "
            "settings.",
            code=code,
            status=status,
        )
    if status == 403:
        return ProviderRefused(
            f"The API key for {who} may not use {what}. Choose another, or ask for access there.",
            code=code,
            status=status,
        )
    if status == 404:
        return ProviderRefused(
            f"The model endpoint {who} does not know {what}. Choose from what it lists.",
            code=code,
            status=status,
        )
    if is_too_long(code, said):
        return ProviderRefused(
            "This conversation is too long for the model. Start a new one, or ask in fewer words.",
            code=TOO_LONG,
            status=status,
        )
    reason = told or f"HTTP {status}, without a reason."
    return ProviderRefused(f"The model endpoint {who} refused: {reason}", code=code, status=status)


def is_too_long(code: str | None, said: str | None) -> bool:
    """Return whether an endpoint's own code or words say that the text exceeds its context."""
    return code == TOO_LONG or _TOO_LONG_IN_WORDS.search(said or "") is not None


def _who(endpoint: Endpoint) -> str:
    return f"{endpoint.name} ({endpoint.address})"


def _fit_to_show(said: str | None, endpoint: Endpoint) -> str:
    """Return an endpoint's own words on one line, short, and without a key in them."""
    words = " ".join((said or "").split())
    if endpoint.api_key:
        words = words.replace(endpoint.api_key, "[key]")
    words = _SECRET.sub("[key]", words)
    return words if len(words) <= _MAX_TOLD else words[: _MAX_TOLD - 1] + "…"
