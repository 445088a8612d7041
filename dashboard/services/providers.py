"""Settings become ready providers here and nowhere else."""

from __future__ import annotations

import asyncio
import json
import threading
import weakref
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from django.conf import settings

from trainerbot.errors import InvalidInput, NotFound
from trainerbot.finetune import FineTuneProvider
from trainerbot.finetune.registry import open_finetune
from trainerbot.llm import ChatModel, Endpoint
from trainerbot.llm.registry import open_chat
from trainerbot.speech.registry import open_endpoint

if TYPE_CHECKING:
    from trainerbot.speech.endpoint import SpeechEndpoint

Result = TypeVar("Result")
OPENAI_URL = "https://api.openai.com/v1"

# An async client belongs to the event loop that first used it.
_chat_models: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Endpoint, ChatModel]] = (
    weakref.WeakKeyDictionary()
)
# Those that outlast one question: of the web process, where views share it.
_lasting: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
_speech: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Endpoint, SpeechEndpoint]] = (
    weakref.WeakKeyDictionary()
)
_finetune_provider: tuple[Endpoint, FineTuneProvider] | None = None
_opening = threading.Lock()


def uses_embedded_server() -> bool:
    """No other endpoint is configured, so our own model server must run."""
    return not (settings.OPENAI_API_KEY or settings.OPENAI_BASE_URL)


def endpoint() -> Endpoint:
    """Where models are asked and trained: ours, OpenAI's, or any that speaks its format.

    Read from the settings each time; the clients below are opened anew when it changed.
    """
    if uses_embedded_server():
        return _endpoint(
            settings.MODELSERVER_URL,
            settings.MODELSERVER_API_KEY,
            settings.CHAT_TIMEOUT_S,
            streams=settings.CHAT_STREAM,
            name="modelserver",
        )
    return _endpoint(
        settings.OPENAI_BASE_URL,
        settings.OPENAI_API_KEY or "none",
        settings.CHAT_TIMEOUT_S,
        streams=settings.CHAT_STREAM,
    )


@lru_cache(maxsize=8)
def _endpoint(
    base_url: str, api_key: str, timeout_s: float, *, streams: bool, name: str = ""
) -> Endpoint:
    """To read an address takes longer than all else that is done with it for a message."""
    return Endpoint(
        name=name or _name(base_url),
        base_url=base_url or OPENAI_URL,
        api_key=api_key,
        timeout_s=timeout_s,
        streams=streams,
    )


def _name(base_url: str) -> str:
    """What an endpoint is called in rows and messages: its address without user or password."""
    if not base_url:
        return "openai"
    try:
        parts = urlsplit(base_url)
    except ValueError:
        return "OPENAI_BASE_URL"  # and Endpoint says what is wrong with it
    return (parts.netloc.rpartition("@")[2] + parts.path).rstrip("/")[:200] or "OPENAI_BASE_URL"


def endpoints() -> dict[str, Endpoint]:
    """All that tests may ask, by name: the configured one first, our own server, MORE_ENDPOINTS.

    Raises InvalidInput, in words, where MORE_ENDPOINTS cannot be read.
    """
    chats = endpoint()
    ours = _endpoint(
        settings.MODELSERVER_URL,
        settings.MODELSERVER_API_KEY,
        settings.CHAT_TIMEOUT_S,
        streams=settings.CHAT_STREAM,
        name="modelserver",
    )
    return {chats.name: chats, ours.name: ours} | more_endpoints()


def more_endpoints() -> dict[str, Endpoint]:
    """Those of MORE_ENDPOINTS alone. Raises InvalidInput where it cannot be read."""
    return _more_endpoints(settings.MORE_ENDPOINTS, settings.CHAT_TIMEOUT_S)


def named(name: str) -> Endpoint:
    """The endpoint of that name, the configured one for "". Raises NotFound for any other."""
    if not name:
        return endpoint()
    known = endpoints()
    if name not in known:
        raise NotFound(
            f"There is no endpoint {name!r}. Name one of {', '.join(known)}, or add it to "
            "MORE_ENDPOINTS."
        )
    return known[name]


@lru_cache(maxsize=2)
def _more_endpoints(told: str, timeout_s: float) -> dict[str, Endpoint]:
    if not told.strip():
        return {}
    try:
        rows = json.loads(told)
        return {
            str(name): Endpoint(
                name=str(name)[:200],
                base_url=str(row["base_url"]),
                api_key=str(row.get("api_key") or "none"),
                timeout_s=timeout_s,
            )
            for name, row in rows.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            'MORE_ENDPOINTS is JSON like {"groq": {"base_url": "https://...", "api_key": "..."}}.'
        ) from error


async def chat_model() -> ChatModel:
    """The one shared client of the running event loop; to make one a message costs 36 ms."""
    loop, wanted = asyncio.get_running_loop(), endpoint()
    kept = _chat_models.get(loop)
    # The same object, mostly; to compare two takes longer.
    if kept is None or (kept[0] is not wanted and kept[0] != wanted):
        # The first one imports the SDK, which takes a second: not on the loop.
        opened = await asyncio.to_thread(open_chat, wanted)
        kept = _chat_models.get(loop)  # another turn may have been quicker
        if kept is not None and kept[0] == wanted:
            await opened.close()
        else:
            _chat_models[loop], old = (wanted, opened), kept
            if old is not None:
                await old[1].close()
            return opened
    return kept[1]


def keep_chat_model() -> None:
    """Let the running event loop keep its client; whoever runs the loop closes it at its end."""
    _lasting.add(asyncio.get_running_loop())


def ask_at_once(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Return what `work`, which asks a model, comes to; for code that does not run on a loop.

    A client that was opened for this call alone is closed after it.
    """
    return async_to_sync(_and_close)(work)


async def _and_close(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    try:
        return await work()
    finally:
        if asyncio.get_running_loop() not in _lasting:
            await close_clients()


async def close_clients() -> None:
    """Close all that the running event loop asked models and speech with."""
    await close_chat_model()
    await close_speech()


async def close_chat_model() -> None:
    """Close the running event loop's client, if it has one."""
    kept = _chat_models.pop(asyncio.get_running_loop(), None)
    if kept is not None:
        await kept[1].close()


# --- Speech ---------------------------------------------------------------------------
def speech_server() -> Endpoint:
    """Our own server, which hosts every provider of speech but the configured endpoint."""
    return Endpoint(
        name="speech",
        base_url=settings.SPEECH_BASE_URL,
        api_key=settings.MODELSERVER_API_KEY,
        timeout_s=settings.SPEECH_TIMEOUT_S,
        max_retries=0,  # the next in the chain is tried instead
    )


def speech_elsewhere() -> Endpoint | None:
    """The configured endpoint where it may be asked for speech, too; None if it is our own server."""
    if uses_embedded_server():
        return None
    return replace(endpoint(), timeout_s=settings.SPEECH_TIMEOUT_S, max_retries=0)


async def speech_at(wanted: Endpoint) -> SpeechEndpoint:
    """The one shared client of the running event loop for the speech of an endpoint."""
    loop = asyncio.get_running_loop()
    if (kept := _speech.get(loop, {}).get(wanted)) is not None:
        return kept
    # The first one imports the SDK, which takes a second: not on the loop.
    opened = await asyncio.to_thread(
        open_endpoint, wanted, is_modelserver=wanted == speech_server()
    )
    mine = _speech.setdefault(loop, {})
    if wanted in mine:  # another one was quicker
        await opened.close()
    else:
        mine[wanted] = opened
    return mine[wanted]


async def close_speech() -> None:
    """Close the running event loop's clients of speech, if it has any."""
    for kept in _speech.pop(asyncio.get_running_loop(), {}).values():
        await kept.close()


# --- Fine-tuning ----------------------------------------------------------------------
def finetune_provider() -> FineTuneProvider:
    """The one shared client of all threads."""
    global _finetune_provider
    wanted = endpoint()
    with _opening:
        if _finetune_provider is not None and _finetune_provider[0] != wanted:
            _finetune_provider[1].close()
            _finetune_provider = None
        if _finetune_provider is None:
            _finetune_provider = (wanted, open_finetune(wanted))
        return _finetune_provider[1]


def close_finetune_provider() -> None:
    """Close the shared client, if there is one."""
    global _finetune_provider
    with _opening:
        kept, _finetune_provider = _finetune_provider, None
    if kept is not None:
        kept[1].close()
