"""The form reader, however the network cuts the body."""

from collections.abc import AsyncIterator

import pytest

from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.api.multipart import PartStart, boundary_of, read_parts

BODY = (
    b"--edge\r\n"
    b'Content-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--edge\r\n'
    b'Content-Disposition: form-data; name="file"; filename="a; b.jsonl"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n"
    b"\r\n--edg\r\n-edge--\r\n\x00\xff\r\n\r\n--edge--\r\nan epilogue"
)
CONTENT = b"\r\n--edg\r\n-edge--\r\n\x00\xff\r\n"


async def cut(body: bytes, n_bytes: int) -> AsyncIterator[bytes]:
    for at in range(0, len(body), n_bytes):
        yield body[at : at + n_bytes]


async def parts_of(body: bytes, n_bytes: int) -> list[tuple[str, str | None, bytes]]:
    parts: list[tuple[str, str | None, bytes]] = []
    async for part in read_parts(cut(body, n_bytes), b"edge"):
        if isinstance(part, PartStart):
            parts.append((part.name, part.filename, b""))
        else:
            name, filename, data = parts[-1]
            parts[-1] = (name, filename, data + part.data)
    return parts


@pytest.mark.parametrize("n_bytes", [1, 2, 3, 7, 64, 10_000])
async def test_every_cut_of_a_body_reads_the_same(n_bytes):
    assert await parts_of(BODY, n_bytes) == [
        ("purpose", None, b"fine-tune"),
        ("file", "a; b.jsonl", CONTENT),
    ]


@pytest.mark.parametrize("at", range(len(BODY) - len(b"--\r\nan epilogue")))
async def test_a_body_that_ends_early_is_refused(at):
    with pytest.raises(ApiError, match="ended early"):
        await parts_of(BODY[:at], 16)


async def test_headers_without_end_are_refused():
    with pytest.raises(ApiError):
        await parts_of(b"--edge\r\n" + b"x: y\r\n" * 10_000, 1000)


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('Multipart/Form-Data; charset=utf-8; boundary="a b"', b"a b"),
    ],
)
def test_the_boundary_is_found(header, boundary):
    assert boundary_of(header) == boundary


@pytest.mark.parametrize(
    "header",
    ["", "text/plain", "multipart/form-data", "multipart/form-data; boundary=" + "x" * 201],
)
def test_a_header_without_a_usable_boundary_is_refused(header):
    with pytest.raises(ApiError):
        boundary_of(header)
