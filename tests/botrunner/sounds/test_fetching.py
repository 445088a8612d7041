"""How a sound is fetched: from Discord alone, so much and no more, and nothing is left behind."""

import asyncio
import socket
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from discord.asset import Asset

from botrunner.gateway import AttachmentUnavailable
from botrunner.sounds import fetching
from botrunner.sounds.fetching import FOLDER_PREFIX, TooMuch, fetch
from trainerbot.errors import InvalidInput


class Files(ThreadingHTTPServer):
    """A file server whose every answer the test writes: status, headers, pieces."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.sent: dict[str, str] = {}
        self.pieces: list[bytes] = [b"sound"]
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.n_asked = 0
        self.began = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Files

    def do_GET(self) -> None:
        self.server.n_asked += 1
        self.send_response(self.server.status)
        for name, value in self.server.sent.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in self.server.pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            self.server.began.set()
            self.server.goes_on.wait(60)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Files]:
    """A server that counts as Discord's, as the one that `gateway.point_at` names does."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Files() as server:
        monkeypatch.setattr(Asset, "BASE", f"{server.address}/cdn")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.goes_on.set()
        server.shutdown()
        thread.join()


def folders(tmp_path: Path) -> list[Path]:
    return list(tmp_path.glob(f"{FOLDER_PREFIX}*"))


@pytest.mark.origin(40, 41)
async def test_what_is_fetched_comes_whole_and_leaves_nothing_behind(files, tmp_path):
    files.pieces = [b"one ", b"two"]

    assert await fetch(f"{files.address}/a.ogg") == b"one two"
    assert folders(tmp_path) == []


@pytest.mark.origin(41)
@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/a.ogg",
        "http://cdn.discordapp.com/a.ogg",
        "https://cdn.discordapp.com.example.org/a.ogg",
        "https://cdn.discordapp.com@example.org/a.ogg",
        "https://user@cdn.discordapp.com/a.ogg",
        "https://cdn.discordapp.com:444/a.ogg",
        "file:///etc/passwd",
        "https://[",
    ],
)
async def test_nobody_is_asked_but_discords_file_servers(address):
    with pytest.raises(InvalidInput, match="does not lie with Discord"):
        await fetch(address)


@pytest.mark.origin(41)
@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1"])
async def test_a_name_of_discords_that_leads_into_a_private_network_is_not_followed(
    monkeypatch, address
):
    """As if Discord's name had been taken over: who is reached counts, not what it is called."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    reached = _Reached((address, 443))
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_, **__: [(family, socket.SOCK_STREAM, 6, "", (address, 443))],
    )
    monkeypatch.setattr(socket, "socket", lambda *_: reached)

    with pytest.raises(AttachmentUnavailable, match="does not hand this file out"):
        await fetch("https://cdn.discordapp.com/a.ogg")

    assert reached.sent == []


class _Reached(socket.socket):
    """A connection that was made; what is sent over it is remembered."""

    def __init__(self, peer: tuple[str, int]) -> None:
        super().__init__()
        self.peer = peer
        self.sent: list[bytes] = []

    def connect(self, address: object) -> None:
        """Reach whom it was said to reach."""

    def getpeername(self) -> tuple[str, int]:
        return self.peer

    def sendall(self, data: bytes, flags: int = 0) -> None:  # type: ignore[override]  # as it is used
        self.sent.append(data)


@pytest.mark.origin(41)
@pytest.mark.parametrize(
    ("status", "sent"),
    [(404, {}), (302, {"Location": "http://127.0.0.1/secret"}), (206, {}), (500, {})],
)
async def test_what_is_not_simply_handed_out_is_not_taken(files, tmp_path, status, sent):
    files.status, files.sent = status, sent

    with pytest.raises(AttachmentUnavailable, match="does not hand this file out"):
        await fetch(f"{files.address}/a.ogg")

    assert (files.n_asked, folders(tmp_path)) == (1, [])


@pytest.mark.origin(41)
@pytest.mark.parametrize("sent", [{}, {"Content-Length": str(2**40)}])
async def test_no_more_is_taken_than_so_many_bytes_whatever_is_said(
    files, tmp_path, monkeypatch, sent
):
    monkeypatch.setattr(fetching, "MOST_BYTES", 1000)
    files.sent, files.pieces = sent, [b"x" * 600, b"x" * 600]

    with pytest.raises(TooMuch, match="too large to hear"):
        await fetch(f"{files.address}/a.ogg")

    assert folders(tmp_path) == []


async def test_what_breaks_off_is_not_taken_for_the_whole(files, tmp_path):
    files.sent, files.pieces = {"Content-Length": "100"}, [b"half"]

    with pytest.raises(AttachmentUnavailable, match="broke off"):
        await fetch(f"{files.address}/a.ogg")

    assert folders(tmp_path) == []


@pytest.mark.origin(41)
async def test_a_server_that_drips_is_not_waited_for_long(files, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "FETCHED_WITHIN_S", -1.0)

    with pytest.raises(AttachmentUnavailable, match="too slow"):
        await fetch(f"{files.address}/a.ogg")

    assert folders(tmp_path) == []


@pytest.mark.origin(40)
async def test_whoever_is_cancelled_leaves_nothing_behind(files, tmp_path):
    files.pieces = [b"one", b"two"]
    files.goes_on.clear()
    fetching_it = asyncio.create_task(fetch(f"{files.address}/a.ogg"))
    await asyncio.to_thread(files.began.wait, 10)
    assert len(folders(tmp_path)) == 1

    fetching_it.cancel()
    await asyncio.gather(fetching_it, return_exceptions=True)
    files.goes_on.set()
    # Its thread has noticed, a piece later, once every thread there is can be had again.
    alone = threading.Barrier(fetching.FETCHED._max_workers)
    waiting = [fetching.FETCHED.submit(alone.wait, 10) for _ in range(alone.parties)]
    await asyncio.gather(*map(asyncio.wrap_future, waiting))

    assert folders(tmp_path) == []
