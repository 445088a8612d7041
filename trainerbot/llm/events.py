"""The wire of a streamed answer: server-sent events, and the chunks within."""

import math
import time
from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

import msgspec

MAX_EVENT_BYTES: Final = 4 * 1024 * 1024
"""An event that grows beyond this is no chat chunk; memory stays bounded."""

DONE: Final = b"[DONE]"


class WireError(Exception):
    """What came is not OpenAI's wire format."""


class _Text(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Text | None = None
    message: _Text | None = None
    finish_reason: str | None = None

    @property
    def text(self) -> str:
        """The words of a streamed piece or of a whole answer, the same to the reader."""
        said = self.delta or self.message
        return (said.content or said.refusal or "") if said else ""


class _Tokens(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Fault(msgspec.Struct):
    """The `error` object, or what is left of it where an endpoint only sends a string."""

    message: str | None = None
    code: str | int | None = None


class Chunk(msgspec.Struct):
    """One chat.completion.chunk, or one whole chat.completion; unknown fields are left out."""

    model: str | None = None
    system_fingerprint: str | None = None
    choices: list[_Choice] = []
    usage: _Tokens | None = None
    error: Fault | str | None = None

    @property
    def first(self) -> _Choice | None:
        """The one choice that was asked for; None in a chunk of mere usage."""
        # A loop, as a generator takes thrice as long, and there is one for each word.
        for choice in self.choices:
            if choice.index == 0:
                return choice
        return None


_decode: Final = msgspec.json.Decoder(Chunk).decode


def decode_chunk(data: bytes) -> Chunk:
    """Return the chunk in an event's data. Raises WireError when it is none."""
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError("not a chat completion") from error


async def read_events(
    pieces: AsyncIterable[bytes], *, silence_s: float = math.inf
) -> AsyncIterator[list[bytes]]:
    """Yield the data of server-sent events, together those that came together; never none.

    The last of a whole answer is DONE. Each `data:` line is an event, as
    OpenAI's chunks are one line each. Lines end with LF or CRLF only: a text
    line reader would also break at U+2028 and U+0085, which JSON may hold.
    Raises WireError for a line over MAX_EVENT_BYTES, and TimeoutError when for
    `silence_s` nothing came but comments.
    """
    waiting, heard_at = b"", time.monotonic()
    async for piece in pieces:
        *lines, waiting = (waiting + piece).split(b"\n")
        if events := [data for line in lines if (data := _data_of(line))]:
            yield events
        # Some endpoints send a comment now and then for as long as their model hangs,
        # so that the socket is never silent.
        moment = time.monotonic()
        if events:
            heard_at = moment
        elif moment - heard_at > silence_s:
            raise TimeoutError("comments only")
        if len(waiting) > MAX_EVENT_BYTES:
            raise WireError("an event without end")
    if data := _data_of(waiting):
        yield [data]


def _data_of(line: bytes) -> bytes:
    """Return what a line carries; nothing for comments, event names and blank lines."""
    return line[5:].strip() if line.startswith(b"data:") else b""
