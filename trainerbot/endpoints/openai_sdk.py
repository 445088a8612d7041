"""What every provider on the openai SDK needs: a client's settings, failures in our words.

Imports the SDK (about a second), so only providers may import this.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import httpx2
import msgspec
import openai

from trainerbot.endpoints import failures
from trainerbot.endpoints.endpoint import Endpoint, ModelInfo

CONNECT_TIMEOUT_S: Final = 5.0


def client_settings(endpoint: Endpoint) -> dict[str, Any]:
    """Return what OpenAI and AsyncOpenAI take alike to speak to `endpoint`."""
    return {
        "base_url": endpoint.base_url,
        # The SDK refuses an empty key and h11 an empty header; a server
        # without keys does not look at it.
        "api_key": endpoint.api_key or "none",
        "max_retries": endpoint.max_retries,
        "timeout": patience(endpoint),
    }


def patience(endpoint: Endpoint, *, more_s: float = 0.0) -> httpx2.Timeout:
    """How long an answer is waited for; `more_s` longer for what is known to take its time."""
    return httpx2.Timeout(
        endpoint.timeout_s + more_s, connect=min(CONNECT_TIMEOUT_S, endpoint.timeout_s)
    )


@contextmanager
def failures_in_words(endpoint: Endpoint, subject: str | None = None) -> Iterator[None]:
    """Raise our errors for what the SDK and its HTTP client raise within.

    `subject` is what is asked for ("model gpt-5"), for the sentence about a
    404 or 403.
    """
    try:
        yield
    except openai.APIStatusError as error:
        code, said = read_fault(error.body)
        raise failures.refused(
            endpoint, status=error.status_code, code=code, said=said, subject=subject
        ) from error
    except (openai.APITimeoutError, httpx2.TimeoutException, TimeoutError) as error:
        raise failures.timed_out(endpoint) from error
    except openai.APIConnectionError as error:
        raise failures.unreachable(endpoint) from error
    except httpx2.HTTPError as error:
        # The SDK translates what happens before the answer; within its body
        # the client's own errors come through.
        raise failures.broken_off(endpoint) from error


def read_fault(body: object) -> tuple[str | None, str | None]:
    """Return code and message of an error's body, whatever shape the endpoint gives it.

    Known are {"error": {"code", "message"}}, {"error": "..."}, the same without
    the outer object, and {"detail": "..."}. Pages of HTML have neither.
    """
    fault = body.get("error", body) if isinstance(body, Mapping) else None
    if isinstance(fault, str):
        return None, fault
    if not isinstance(fault, Mapping):
        return None, None
    code = fault.get("code") or fault.get("type")
    said = fault.get("message") or fault.get("detail")
    return (str(code) if code else None), (str(said) if said else None)


def read_models(endpoint: Endpoint, content: bytes) -> list[ModelInfo]:
    """Return the models in the body of GET /models, {"data": [...]} or a bare list.

    Raises ProviderRefused when it is no such list.
    """
    try:
        body = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise failures.not_openai(endpoint) from error
    rows = body.get("data") if isinstance(body, dict) else body
    if not isinstance(rows, list):
        raise failures.not_openai(endpoint)
    return [_model(row) for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]


def _model(row: dict[str, Any]) -> ModelInfo:
    created = row.get("created")
    return ModelInfo(
        id=row["id"],
        owned_by=str(row.get("owned_by") or ""),
        created=int(created) if isinstance(created, int | float) else None,
        details={
            key: value
            for key, value in row.items()
            if key not in ("id", "object", "owned_by", "created")
        },
    )
