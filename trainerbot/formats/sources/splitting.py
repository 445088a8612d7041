"""Elements of a JSON array, cut apart without parsing it and in bounded memory."""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from trainerbot.formats.jsonl import MAX_LINE_BYTES, Line, empty, too_long
from trainerbot.formats.report import Problem, of_line

CHUNK_BYTES: Final = 256 * 1024

MAX_OPEN_BRACKETS: Final = 200_000
"""Deeper nesting is no data at all: the rest of such a file is not read."""

# A whole string, the beginning of one that the buffer cuts, or what makes structure.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+("?+)|[{}\[\],]', re.DOTALL)
_SPACE: Final = b" \t\r\n"


def split_array(file: BinaryIO) -> Iterator[Line | Problem]:
    """Yield the elements of the JSON array in `file`, numbered from 1, as their bytes.

    `file` stands before the `[`. Only brackets and strings are understood
    here; whether an element is JSON is for its parser to say, so one broken
    element costs one problem. Holds one element at a time, at most
    MAX_LINE_BYTES; a longer one is a Problem and is passed over.
    """
    return _Splitter(file, opening=1).elements()


def split_values(file: BinaryIO) -> Iterator[Line | Problem]:
    """Yield the objects of a file that spreads them over several lines, as `split_array` does."""
    return _Splitter(file, opening=0).elements()


class _Splitter:
    """One pass over one file.

    `opening` is the depth at which elements lie: 1 inside the brackets of an
    array, 0 for values that merely follow each other.
    """

    def __init__(self, file: BinaryIO, *, opening: int) -> None:
        self._file = file
        self._opening = opening
        self._buffer = b""
        self._start = 0  # where the present element begins in the buffer
        self._at = 0  # up to where the buffer has been understood
        self._depth = 0
        self._number = 1
        self._in_string = False
        self._too_long = False
        self._closed = False

    def elements(self) -> Iterator[Line | Problem]:
        while self._read_more():
            yield from self._cut()
            if self._depth > MAX_OPEN_BRACKETS:
                yield of_line(self._number, "too_deep", "nested without end. It was not read on.")
                return
            if not self._too_long and len(self._buffer) - self._start > MAX_LINE_BYTES:
                self._too_long = True
        yield from self._end()

    def _read_more(self) -> bool:
        # What is behind is let go; a long element grows in ever larger steps.
        keep = self._at if self._too_long else self._start
        rest = self._buffer[keep:]
        self._at -= keep
        self._start = 0
        more = self._file.read(max(CHUNK_BYTES, len(rest)))
        self._buffer = rest + more
        return bool(more)

    def _cut(self) -> Iterator[Line | Problem]:
        if self._in_string and not self._leave_string():
            return
        for token in _TOKEN.finditer(self._buffer, self._at):
            self._at = token.end()
            mark = self._buffer[token.start()]
            if mark == 0x22:  # a quote
                if not token[1]:
                    self._in_string = True
                    return
            elif mark == 0x2C:  # a comma
                if self._depth == self._opening == 1:
                    yield self._take(token.start())
            elif mark in b"[{":
                yield from self._open(token.start())
            else:
                yield from self._close(token.start())
        if not self._in_string:
            self._at = len(self._buffer)

    def _leave_string(self) -> bool:
        """Go to the end of a string that the last buffer cut; False when it is not here either.

        Searched for by the quote alone, which is far quicker than a pattern:
        a string without end is what a hostile file is made of.
        """
        while True:
            quote = self._buffer.find(b'"', self._at)
            before = self._buffer[self._at : quote if quote >= 0 else None]
            n_escapes = len(before) - len(before.rstrip(b"\\"))
            if quote < 0:
                # A backslash at the very end belongs to what comes next.
                self._at = len(self._buffer) - n_escapes % 2
                return False
            self._at = quote + 1
            if n_escapes % 2 == 0:
                self._in_string = False
                return True

    def _open(self, at: int) -> Iterator[Problem]:
        if self._depth == 0:
            between = self._buffer[self._start : at].strip(_SPACE)
            if between or self._closed:
                yield _stray(self._number)
            self._start = at + self._opening
        self._depth += 1

    def _close(self, at: int) -> Iterator[Line | Problem]:
        self._depth -= 1
        if self._depth > 0:
            return
        if self._depth < 0:
            self._depth = 0
            self._start = at + 1
            yield _stray(self._number)
        elif self._opening:
            self._closed = True
            # "[]" holds no element; after a comma there must be one.
            if self._buffer[self._start : at].strip(_SPACE) or self._number > 1 or self._too_long:
                yield self._take(at)
            self._start = at + 1
        else:
            yield self._take(at + 1)
            self._start = at + 1

    def _take(self, end: int) -> Line | Problem:
        raw = self._buffer[self._start : end].strip(_SPACE)
        number, self._number = self._number, self._number + 1
        self._start = end + 1
        if self._too_long or len(raw) > MAX_LINE_BYTES:
            self._too_long = False
            return too_long(number)
        if not raw:
            return of_line(number, "invalid_json", "not valid JSON (a comma with nothing beside).")
        return Line(number, raw)

    def _end(self) -> Iterator[Problem]:
        if self._depth > 0 or self._in_string:
            yield of_line(
                self._number,
                "invalid_json",
                "not valid JSON (the file ends in the middle of it). Was it cut short?",
            )
        elif self._buffer[self._start :].strip(_SPACE):
            yield _stray(self._number)
        elif self._number == 1:
            yield empty()


def _stray(number: int) -> Problem:
    return of_line(number, "invalid_json", "something that belongs to no row stands here.")
