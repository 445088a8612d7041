"""Large bodies are refused by their headers, before a byte of them is read."""

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from channels.db import database_sync_to_async
from django.test import Client

from dashboard.consumers.bodies import BodyGuard
from dashboard.services import dictation
from tests.factories import UserFactory

MIB = 2**20
SOUNDS = "/speech/hear/"
UPLOADS = "/datasets/uploads/0b8ee9b6-5f1c-4f0e-9a53-8f4b5f7f0c11/"


class Reader:
    """An application that reads all it is given, and says how much that was."""

    def __init__(self) -> None:
        self.n_bytes = 0
        self.was_left = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.was_left = True
                return
            self.n_bytes += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Sender:
    """A request whose body comes in pieces of one MiB; `asked` counts those that were wanted."""

    def __init__(
        self, path: str, n_bytes: int, *, announced: bool = True, cookie: str = ""
    ) -> None:
        headers = [(b"host", b"testserver")]
        if announced:
            headers.append((b"content-length", str(n_bytes).encode()))
        else:
            headers.append((b"transfer-encoding", b"chunked"))
        if cookie:
            headers.append((b"cookie", cookie.encode()))
        self.scope = {"type": "http", "method": "PATCH", "path": path, "headers": headers}
        self.left = n_bytes
        self.asked = 0
        self.answers: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        self.asked += 1
        piece = min(self.left, MIB)
        self.left -= piece
        return {"type": "http.request", "body": b"x" * piece, "more_body": self.left > 0}

    async def send(self, message: dict[str, Any]) -> None:
        self.answers.append(message)

    async def to(self, app: Reader) -> int:
        await BodyGuard(app)(self.scope, self.receive, self.send)
        return int(self.answers[0]["status"])


def cookie_of(user: Any) -> str:
    client = Client()
    client.force_login(user)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


async def test_a_large_body_of_an_unknown_sender_is_not_read():
    app, sender = Reader(), Sender(UPLOADS, 100 * MIB)

    assert await sender.to(app) == 401
    assert sender.asked == 0
    assert "signed out" in json.loads(sender.answers[1]["body"])["problem"]


async def test_a_body_of_unknown_length_of_an_unknown_sender_is_not_read():
    app, sender = Reader(), Sender(UPLOADS, 100 * MIB, announced=False)

    assert await sender.to(app) == 401
    assert sender.asked == 0


@pytest.mark.django_db(transaction=True)
async def test_somebody_who_may_not_upload_is_told_so_at_once():
    user = await database_sync_to_async(UserFactory)()
    cookie = await database_sync_to_async(cookie_of)(user)
    app, sender = Reader(), Sender(UPLOADS, 100 * MIB, cookie=cookie)

    assert await sender.to(app) == 403
    assert sender.asked == 0


@pytest.mark.django_db(transaction=True)
async def test_a_forged_session_is_none():
    app, sender = Reader(), Sender(UPLOADS, 100 * MIB, cookie="trainerbot_session=" + "a" * 32)

    assert await sender.to(app) == 401
    assert sender.asked == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("announced", [True, False])
async def test_a_trainer_may_send_a_large_file(announced):
    user = await database_sync_to_async(UserFactory)(trainer=True)
    cookie = await database_sync_to_async(cookie_of)(user)
    app, sender = Reader(), Sender(UPLOADS, 10 * MIB, announced=announced, cookie=cookie)

    assert await sender.to(app) == 200
    assert app.n_bytes == 10 * MIB


@pytest.mark.django_db(transaction=True)
async def test_whoever_chats_may_send_a_sound_but_no_larger_one_than_is_listened_to():
    user = await database_sync_to_async(UserFactory)()
    cookie = await database_sync_to_async(cookie_of)(user)
    app, sender = Reader(), Sender(SOUNDS, 10 * MIB, cookie=cookie)
    larger = Sender(SOUNDS, dictation.MOST_BYTES + MIB, cookie=cookie)

    assert await sender.to(app) == 200
    assert app.n_bytes == 10 * MIB
    assert await larger.to(app) == 413
    assert larger.asked == 0


async def test_a_large_sound_of_an_unknown_sender_is_not_read():
    app, sender = Reader(), Sender(SOUNDS, 10 * MIB)

    assert await sender.to(app) == 401
    assert sender.asked == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.origin(22)
async def test_nobody_may_send_more_than_the_limit(settings):
    settings.MAX_UPLOAD_BYTES = 4 * MIB
    user = await database_sync_to_async(UserFactory)(admin=True)
    cookie = await database_sync_to_async(cookie_of)(user)
    told, silent = Reader(), Reader()

    announced = Sender(UPLOADS, 10 * MIB, cookie=cookie)
    assert await announced.to(told) == 413
    assert announced.asked == 0

    endless = Sender(UPLOADS, 10_000 * MIB, announced=False, cookie=cookie)
    assert await endless.to(silent) == 413
    assert silent.was_left
    assert endless.asked == 5


async def test_a_form_elsewhere_is_small_or_refused():
    small, large, endless = Reader(), Reader(), Reader()

    assert await Sender("/sign-in/", 1000).to(small) == 200
    assert await Sender("/sign-in/", 100 * MIB).to(large) == 413
    assert await Sender("/sign-in/", 10_000 * MIB, announced=False).to(endless) == 413
    assert (small.n_bytes, large.n_bytes) == (1000, 0)
    assert endless.n_bytes <= 3 * MIB


@pytest.fixture
def port() -> Iterator[int]:
    """The guard behind the server that we run, on a real socket."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(
            BodyGuard(Reader()), lifespan="off", log_level="error", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield int(listening.getsockname()[1])
        server.should_exit = True
        thread.join()


def test_on_a_real_socket_the_answer_comes_before_the_body_is_sent(port):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as caller:
        caller.sendall(
            f"PATCH {UPLOADS} HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: application/offset+octet-stream\r\n"
            "Content-Length: 400000000\r\n\r\n".encode()
        )
        answer = b""
        while piece := caller.recv(4096):
            answer += piece

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"signed out" in answer
