"""The REST API of the fake: who may call, what goes wrong, and what was called."""

import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.discord.faults import VIA, Faults, RateLimit
from tests.fakes.discord.payloads import Payload
from tests.fakes.discord.world import World


@dataclass
class Request:
    """One call as it came in; `status` is what was answered."""

    method: str
    path: str
    body: Any
    files: list[tuple[str, bytes]]
    query: dict[str, str]
    at_s: float
    status: int = 0

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status}"


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any = None


class Refused(Exception):
    """Discord says no: HTTP status, its own error code, its words."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, {"code": code, "message": message})


Handler = Callable[..., Awaitable[Answer]]


class Rest:
    """Finds the handler of a request, once its token, the faults and the limits let it through."""

    def __init__(self, world: World, *, token: str) -> None:
        self.world = world
        self.token = token
        self.faults = Faults()
        self.rate_limit: RateLimit | None = None
        self.requests: list[Request] = []
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []

    def add(self, method: str, path: str, handler: Handler) -> None:
        """Serve `path`, where `{name}` stands for one segment given to the handler by that name."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
        self._routes.append((method, re.compile(pattern), handler))

    async def serve(self, incoming: web.Request) -> web.Response:
        path = "/" + incoming.match_info["path"]
        body, files = await _read(incoming)
        request = Request(
            incoming.method, path, body, files, dict(incoming.query), time.monotonic()
        )
        answer, headers = await self._answer(request, incoming.headers.get("Authorization", ""))
        request.status = answer.status
        self.requests.append(request)
        self.world.touch()
        if answer.status == 204:
            return web.Response(status=204, headers=headers)
        # discord.py reads JSON only where the content type is exactly this, without a charset.
        return web.Response(
            status=answer.status,
            body=json.dumps(answer.body).encode(),
            headers={**headers, "Content-Type": "application/json"},
        )

    async def _answer(self, request: Request, authorization: str) -> tuple[Answer, dict[str, str]]:
        if fault := self.faults.take(request.method, request.path):
            if fault.took_effect:
                await self._route(request)
            return Answer(fault.status, fault.body), dict(fault.headers)
        # Interactions and their follow-ups carry a token of their own in the path.
        if authorization != f"Bot {self.token}" and not request.path.startswith(
            ("/interactions/", "/webhooks/")
        ):
            return Answer(401, {"code": 0, "message": "401: Unauthorized"}), VIA
        headers = VIA
        if self.rate_limit and request.method in ("POST", "PATCH") and "/messages" in request.path:
            channel_id = request.path.split("/")[2]
            allowed, headers = self.rate_limit.take(f"{request.method}-messages/{channel_id}")
            if not allowed:
                limited = {
                    "message": "You are being rate limited.",
                    "retry_after": float(headers["X-RateLimit-Reset-After"]),
                    "global": False,
                }
                return Answer(429, limited), headers
        return await self._route(request), headers

    async def _route(self, request: Request) -> Answer:
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(request.path) if method == request.method else None
            if found:
                try:
                    return await handler(request, **found.groupdict())
                except Refused as refusal:
                    return refusal.answer
        self.world.complaints.append(f"The fake has no route {request.method} {request.path}.")
        return Answer(404, {"code": 0, "message": "404: Not Found"})


async def _read(incoming: web.Request) -> tuple[Payload | None, list[tuple[str, bytes]]]:
    """Return the JSON body and the files, from either shape in which discord.py sends them."""
    if incoming.content_type == "application/json":
        return await incoming.json(), []
    body: Payload | None = None
    files: list[tuple[str, bytes]] = []
    if incoming.content_type.startswith("multipart/"):
        async for part in await incoming.multipart():
            if part.name == "payload_json":
                body = json.loads(await part.text())
            else:
                files.append((part.filename or "", bytes(await part.read())))
    return body, files
