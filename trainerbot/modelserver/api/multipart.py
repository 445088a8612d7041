"""multipart/form-data (RFC 7578), read as it arrives, in constant memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from trainerbot.modelserver.api.errors import ApiError

_MAX_HEADER_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class PartStart:
    """A new part begins. `filename` is None for a plain field."""

    name: str
    filename: str | None


@dataclass(frozen=True, slots=True)
class PartData:
    """Some more of the part that began last."""

    data: bytes


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that the header names. Raises ApiError when it names none."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise ApiError(
            f"Invalid Content-Type header ({content_type[:100]}), expected multipart/form-data. "
            "(HINT: If you're using curl, you can pass -F file=@path.)"
        )
    if len(boundary) > 200 or not boundary.isascii():
        raise _malformed()
    return boundary


async def read_parts(
    stream: AsyncIterator[bytes], boundary: bytes
) -> AsyncIterator[PartStart | PartData]:
    """Yield each part's start, then its data. Raises ApiError when the body is malformed."""
    found = _Found()
    parser = MultipartParser(
        boundary,
        callbacks={
            "on_part_begin": found.begin,
            "on_header_field": found.header_field,
            "on_header_value": found.header_value,
            "on_header_end": found.header_end,
            "on_headers_finished": found.headers_finished,
            "on_part_data": found.data,
            "on_end": found.end,
        },
    )
    async for chunk in stream:
        try:
            parser.write(chunk)
        except MultipartParseError as error:
            raise _malformed() from error
        for part in found.take():
            yield part
    if not found.is_whole:
        raise _malformed()


class _Found:
    """What the parser met since it was last asked, in order."""

    def __init__(self) -> None:
        self.is_whole = False
        self._parts: list[PartStart | PartData] = []
        self._field = b""
        self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._n_header_bytes = 0

    def take(self) -> list[PartStart | PartData]:
        parts, self._parts = self._parts, []
        return parts

    def begin(self) -> None:
        self._headers, self._n_header_bytes = {}, 0

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._field += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        if b"name" not in options:
            raise _malformed()
        filename = options.get(b"filename")
        self._parts.append(
            PartStart(
                options[b"name"].decode("utf-8", "replace"),
                None if filename is None else filename.decode("utf-8", "replace"),
            )
        )

    def data(self, data: bytes, start: int, end: int) -> None:
        self._parts.append(PartData(data[start:end]))

    def end(self) -> None:
        self.is_whole = True

    def _count(self, n_bytes: int) -> None:
        self._n_header_bytes += n_bytes
        if self._n_header_bytes > _MAX_HEADER_BYTES:
            raise _malformed()


def _malformed() -> ApiError:
    return ApiError(
        "Could not parse multipart form: the body ended early or has no valid boundary. "
        "Send the file again."
    )
