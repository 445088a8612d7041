"""Whole lines of a JSONL file, read many at a time: for those who look at each only briefly."""

from collections.abc import Iterator
from enum import Enum
from typing import BinaryIO, Final, Protocol

from trainerbot.formats.jsonl import MAX_LINE_BYTES
from trainerbot.formats.recognition import BOM, HEAD_BYTES, refuse_file
from trainerbot.formats.report import Problem

BLOCK_BYTES: Final = 62 * 1024
"""What is read at once. Larger blocks fall out of the processor's cache.

With the line begun before it, a block mostly stays below the 64 Ki tokens that
OpenAI reads of one example, so that none of its lines needs to be measured.
"""


class Digest(Protocol):
    """What sums up bytes, as hashlib's objects do."""

    def update(self, data: bytes, /) -> None: ...


class Gap(Enum):
    """What stands in the place of a line that is not given."""

    TOO_LONG = "too long"


def read_blocks(file: BinaryIO, *, digest: Digest | None = None) -> Iterator[bytes | Gap | Problem]:
    """Yield the lines of `file` in order, many together, each block ending with a line's end.

    Only the last block may end without one. A line of more than
    MAX_LINE_BYTES is left out, and Gap.TOO_LONG comes in its place. When the
    file cannot be JSONL at all, the one Problem that says so is all that
    comes. Holds twice MAX_LINE_BYTES at most. `digest` is given every byte of
    the file. `file` must stand at its beginning.
    """
    chunk = _read_head(file)
    if digest is not None:
        digest.update(chunk)
    if refusal := refuse_file(chunk):
        yield refusal
        while digest is not None and (chunk := file.read(BLOCK_BYTES)):
            digest.update(chunk)
        return
    chunk = chunk.removeprefix(BOM)
    begun: list[bytes] = []  # of the line whose end has not come yet
    n_begun = 0
    while chunk:
        first_end = chunk.find(b"\n")
        if first_end < 0:
            n_begun += len(chunk)
            # A line that is too long is remembered by its length alone.
            begun = [*begun, chunk] if n_begun <= MAX_LINE_BYTES else []
        else:
            if n_begun + first_end > MAX_LINE_BYTES:
                yield Gap.TOO_LONG
                begun, chunk = [], chunk[first_end + 1 :]
            end = chunk.rfind(b"\n") + 1
            if whole := b"".join((*begun, memoryview(chunk)[:end])):
                yield whole
            begun, n_begun = [chunk[end:]], len(chunk) - end
        chunk = file.read(BLOCK_BYTES)
        if digest is not None:
            digest.update(chunk)
    if n_begun > MAX_LINE_BYTES:
        yield Gap.TOO_LONG
    elif n_begun:
        yield b"".join(begun)


def _read_head(file: BinaryIO) -> bytes:
    """Return the first HEAD_BYTES; an unbuffered file may give them in pieces."""
    head = file.read(HEAD_BYTES)
    while 0 < len(head) < HEAD_BYTES and (more := file.read(HEAD_BYTES - len(head))):
        head += more
    return head
