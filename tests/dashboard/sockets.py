"""A browser's websocket, spoken to the whole ASGI application.

Channels' own communicator imports Daphne, which we neither need nor install.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

ORIGIN = "http://testserver"


class Closed(Exception):
    """The server closed the socket, with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Socket:
    """One open socket; what is sent and received is JSON."""

    def __init__(self, wire: ApplicationCommunicator) -> None:
        self._wire = wire

    async def send(self, content: Any) -> None:
        await self.send_text(json.dumps(content))

    async def send_text(self, text: str) -> None:
        await self._wire.send_input({"type": "websocket.receive", "text": text})

    async def receive(self, timeout_s: float = 60.0) -> Any:
        """The next message. Raises Closed when the server closes instead."""
        message = await self._wire.receive_output(timeout_s)
        if message["type"] == "websocket.close":
            raise Closed(message.get("code", 1000))
        return json.loads(message["text"])

    async def is_silent(self) -> bool:
        """Whether nothing more comes within a moment."""
        return bool(await self._wire.receive_nothing(timeout=0.2))


@asynccontextmanager
async def open_socket(
    path: str, *, user: User | None = None, client: Client | None = None, origin: str = ORIGIN
) -> AsyncIterator[Socket]:
    """Connect as `user`, or with the cookies of `client`. Raises Closed when refused."""
    from trainerbot.asgi import application

    client = client or Client()
    if user is not None:
        await sync_to_async(client.force_login)(user)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    headers = [
        (b"host", b"testserver"),
        (b"origin", origin.encode()),
        (b"cookie", cookies.encode()),
    ]
    assert "testserver" in settings.ALLOWED_HOSTS
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "subprotocols": [],
    }
    wire = ApplicationCommunicator(application, scope)
    await wire.send_input({"type": "websocket.connect"})
    answer = await wire.receive_output(60)
    if answer["type"] == "websocket.close":
        raise Closed(answer.get("code", 1000))
    try:
        yield Socket(wire)
    finally:
        await wire.send_input({"type": "websocket.disconnect", "code": 1000})
        await wire.wait(60)
