"""What comes before a request's body is limited, before a key is asked for."""

import asyncio

import pytest
import uvicorn
from uvicorn.server import ServerState

from trainerbot.modelserver.api.heads import MAX_HEAD_BYTES, http_protocol

START = b"POST /v1/files HTTP/1.1\r\nhost: 127.0.0.1\r\n"
MUCH = b"a" * 10_000
TIMES = 2 * MAX_HEAD_BYTES // len(MUCH)


class Wire(asyncio.Transport):
    """A connection's other end: remembers what it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def answered(pieces: list[bytes]) -> bytes:
    """Return what a server answers to these pieces; it reads no more than it takes."""

    async def app(scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    config = uvicorn.Config(app, http=http_protocol(), log_config=None, lifespan="off", ws="none")
    config.load()
    wire = Wire()
    protocol = config.http_protocol_class(config=config, server_state=ServerState(), app_state={})
    protocol.connection_made(wire)
    for piece in pieces:
        if wire.closed:
            break
        protocol.data_received(piece)
        await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)
    protocol.connection_lost(None)
    return wire.sent.partition(b"\r\n")[0]


@pytest.mark.parametrize(
    "pieces",
    [
        [b"GET /", *[MUCH] * TIMES],
        [START, b"x: ", *[MUCH] * TIMES],
        [START, *[b"x: " + MUCH + b"\r\n"] * TIMES],
        [START, *[b"a: b\r\n" * 1000] * 20],
        [START, b"transfer-encoding: chunked\r\n\r\n0\r\n", *[b"x: " + MUCH + b"\r\n"] * TIMES],
        [START, b"transfer-encoding: chunked\r\n\r\n0\r\nx: ", *[MUCH] * TIMES],
    ],
    ids=["address", "one header", "long headers", "many headers", "trailers", "one trailer"],
)
async def test_a_head_without_end_is_refused(pieces):
    assert await answered(pieces) == b"HTTP/1.1 400 Bad Request"


@pytest.mark.parametrize(
    "pieces",
    [
        [START, b"x: ", MUCH, MUCH, b"\r\ncontent-length: 0\r\n\r\n"],
        [START, b"content-length: %d\r\n\r\n" % (TIMES * len(MUCH)), *[MUCH] * TIMES],
        [
            START,
            b"transfer-encoding: chunked\r\n\r\n",
            *[b"%x\r\n%s\r\n" % (len(MUCH), MUCH)] * TIMES,
            b"0\r\n\r\n",
        ],
        [START + b"content-length: 0\r\n\r\n"] * 500,
    ],
    ids=["long head", "body", "chunks", "many requests"],
)
async def test_what_has_an_end_is_read(pieces):
    assert await answered(pieces) == b"HTTP/1.1 204 No Content"
