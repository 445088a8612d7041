"""The one way to Discord's REST API: patient where that is safe, and never a nuisance.

discord.py waits out ordinary rate limits and retries most server errors. It
does neither for a 503, nor for a 429 without a `Via` header, which comes from
the proxy before Discord and may be a ban. Here both are, so that no cog needs
to know of them.
"""

import asyncio
import contextvars
import json
import logging
import random
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any, TypeVar

import aiohttp
import discord
from discord.http import Route
from discord.webhook.async_ import AsyncWebhookAdapter, async_context

log = logging.getLogger(__name__)

PAUSES_S = (0.5, 1.0, 2.0, 4.0)
LONGEST_PAUSE_S = 30.0
# Discord bans an address for an hour after 10,000 of these answers in ten minutes.
INVALID_STATUSES = frozenset({401, 403, 429})
INVALID_WINDOW_S = 600.0
INVALID_MOST = 8_000
# What may be asked twice although it is a POST.
REPEATABLE_POSTS = frozenset({"/channels/{channel_id}/typing", "/users/@me/channels"})

_SECRET = re.compile(r"/(webhooks|interactions)/([^/]+)/([^/]+)")
_ID = re.compile(r"/\d{5,}")
Result = TypeVar("Result")


class Patience:
    """Everything that one process knows about how Discord takes its requests.

    n_limited counts the 429s, `last_limited` names the newest, without ids.
    """

    def __init__(self) -> None:
        self.n_limited = 0
        self.last_limited = ""
        self._invalid: deque[float] = deque()
        self._silent_until = 0.0
        self._refusal: aiohttp.ClientResponse | None = None
        self.trace = aiohttp.TraceConfig()
        self.trace.on_request_end.append(self._look_at)

    # --- installed in discord.py ----------------------------------------------------
    def guard(self, client: discord.Client) -> None:
        """Let every request of `client` be made with this patience."""
        request = client.http.request

        async def patiently(
            route: Route,
            *,
            files: Sequence[discord.File] | None = None,
            form: Iterable[dict[str, Any]] | None = None,
            **options: Any,
        ) -> Any:
            return await self.attempt(
                lambda: request(route, files=files, form=form, **options),
                route=route,
                may_repeat=_may_repeat(route, options.get("json"), form),
                files=files,
            )

        # discord.py makes the HTTP client itself and offers no other place.
        client.http.request = patiently  # type: ignore[method-assign]

    def guard_webhooks(self) -> contextvars.Token[AsyncWebhookAdapter]:
        """Do the same for interactions, from here on in the current context."""
        return async_context.set(PatientWebhooks(self))

    # --- one request ----------------------------------------------------------------
    async def attempt(
        self,
        call: Callable[[], Awaitable[Result]],
        *,
        route: Route,
        may_repeat: bool,
        files: Sequence[discord.File] | None = None,
    ) -> Result | None:
        """Return what `call` returns, tried again after pauses while that can help and not harm.

        may_repeat: whether it does no harm if Discord carried out what it
        seemed to refuse. Raises what the last try raised.
        """
        name = f"{route.method} {route.path}"
        for number, pause_s in enumerate((*PAUSES_S, None)):
            await self._admit()
            if number:
                for file in files or ():
                    file.reset(seek=True)
            try:
                return await call()
            except discord.NotFound:
                if number and route.method == "DELETE":
                    return None  # an earlier try did it, and only its answer was lost
                raise
            except discord.HTTPException as error:
                wait_s = self._wait_s(error, pause_s, may_repeat=may_repeat)
                if wait_s is None:
                    raise
                log.warning(
                    "Discord answered %s to %s; again in %.1f s", error.status, name, wait_s
                )
            except (aiohttp.ClientError, OSError) as error:
                never_arrived = isinstance(error, aiohttp.ClientConnectorError)
                if pause_s is None or not (may_repeat or never_arrived):
                    raise
                wait_s = _spread(pause_s)
                log.warning("Discord was not reached for %s (%s)", name, type(error).__name__)
            await asyncio.sleep(wait_s)
        raise AssertionError("The last try returns or raises.")

    def _wait_s(
        self, error: discord.HTTPException, pause_s: float | None, *, may_repeat: bool
    ) -> float | None:
        """How long to wait before the next try; None where there shall be none."""
        if error.status == 429:
            # Nothing was carried out. Whatever else we would send would meet the same.
            wait_s = _retry_after_s(error) or _spread(pause_s or PAUSES_S[-1])
            self._silent_until = max(self._silent_until, time.monotonic() + wait_s)
            return wait_s if pause_s is not None and wait_s <= LONGEST_PAUSE_S else None
        if error.status == 503 and may_repeat and pause_s is not None:
            return _spread(pause_s)
        return None

    async def _admit(self) -> None:
        """Wait until a request may go out; raise discord.HTTPException if that takes long."""
        while (wait_s := self._silent_for_s()) > 0:
            if wait_s > LONGEST_PAUSE_S:
                assert self._refusal is not None  # else there would be no silence
                raise discord.HTTPException(self._refusal, f"Silent for {wait_s:.0f} s.")
            await asyncio.sleep(wait_s)

    def _silent_for_s(self) -> float:
        moment = time.monotonic()
        while self._invalid and self._invalid[0] < moment - INVALID_WINDOW_S:
            self._invalid.popleft()
        wait_s = self._silent_until - moment
        if len(self._invalid) >= INVALID_MOST:
            wait_s = max(wait_s, self._invalid[0] + INVALID_WINDOW_S - moment)
        return wait_s

    async def _look_at(
        self,
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        params: aiohttp.TraceRequestEndParams,
    ) -> None:
        """See every answer, also those that discord.py deals with itself."""
        response = params.response
        if response.status not in INVALID_STATUSES:
            return
        self._refusal = response
        if response.status == 429:
            self.n_limited += 1
            self.last_limited = f"{params.method} {shape(params.url.path)}"
        if response.headers.get("X-RateLimit-Scope") != "shared":
            self._invalid.append(time.monotonic())


class PatientWebhooks(AsyncWebhookAdapter):
    """Interactions and webhooks: discord.py retries all their server errors, but not that 429."""

    def __init__(self, patience: Patience) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # discord.py's own has no types
        self._patience = patience

    async def request(self, route: Route, session: aiohttp.ClientSession, **options: Any) -> Any:
        request = super().request
        return await self._patience.attempt(
            lambda: request(route, session, **options),
            route=route,
            may_repeat=route.method != "POST",
            files=options.get("files"),
        )


def shape(path: str) -> str:
    """Return a path of the API without ids and tokens, so that it may be shown."""
    path = _SECRET.sub(r"/\1/…/…", path)
    path = _ID.sub("/…", path)
    return re.sub(r"^/api/v\d+", "", path)


def _may_repeat(route: Route, body: Any, form: Iterable[dict[str, Any]] | None) -> bool:
    """Whether asking twice comes to the same as asking once."""
    if route.method != "POST" or route.path in REPEATABLE_POSTS:
        return True
    for part in form or ():
        if part.get("name") == "payload_json":
            body = json.loads(part["value"])
    # Discord posts a message with such a nonce once, however often it comes.
    return isinstance(body, dict) and bool(body.get("enforce_nonce"))


def _retry_after_s(error: discord.HTTPException) -> float | None:
    try:
        return max(0.1, float(error.response.headers.get("Retry-After", "")))
    except ValueError:
        return None


def _spread(pause_s: float) -> float:
    """Not all at the same moment again."""
    return random.uniform(0.8, 1.2) * pause_s
