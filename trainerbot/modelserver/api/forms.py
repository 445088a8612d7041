"""A form with one file in it, taken in as it arrives: the file goes to the disk at once."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request

from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.api.multipart import PartData, PartStart, boundary_of, read_parts
from trainerbot.modelserver.blobs import DraftWriter

_MAX_FIELD_BYTES = 1024
_MAX_FIELDS = 20
_FLUSH_BYTES = 1024 * 1024
# What a form may need around its file.
_MARGIN_BYTES = 64 * 1024


def too_large(max_bytes: int, *, param: str = "file") -> ApiError:
    """Return the error for a file over the limit."""
    return ApiError(
        f"File size limit exceeded. Limit is {max_bytes // (1024 * 1024)} MB.",
        status=413,
        param=param,
        code="file_too_large",
    )


def base_name(filename: str | None) -> str:
    """Return the last part of a name that may come with a path of either system."""
    name = (filename or "upload").replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(c for c in name if c.isprintable())
    return printable[:255] or "upload"


class FileForm:
    """One form as its parts arrive: plain fields, and a draft for the bytes of the one file.

    `field` is the name of the form's field that holds the file.
    """

    def __init__(self, draft: DraftWriter, *, field: str, max_bytes: int) -> None:
        self.fields: dict[str, str] = {}
        self.filename: str | None = None
        self.n_bytes = 0
        self._draft = draft
        self._field = field
        self._max_bytes = max_bytes
        self._name = ""
        self._pending = bytearray()

    async def read(self, request: Request) -> None:
        """Take in every part. Raises ApiError at the first byte too many, or before the first."""
        length = request.headers.get("content-length", "0")
        # Refuse at once what cannot fit; the form around the file is small.
        if length.isdecimal() and int(length) > self._max_bytes + _MARGIN_BYTES:
            raise too_large(self._max_bytes, param=self._field)
        boundary = boundary_of(request.headers.get("content-type", ""))
        await self._take(read_parts(request.stream(), boundary))
        if self.filename is None:
            raise ApiError(f"'{self._field}' is a required property", param=self._field)

    async def _take(self, parts: AsyncIterator[PartStart | PartData]) -> None:
        in_file = False
        async for part in parts:
            if isinstance(part, PartStart):
                in_file = part.name == self._field
                self._begin(part)
            elif in_file:
                await self._take_bytes(part.data)
            else:
                self._take_field(part.data)
        await self._flush()

    def _begin(self, part: PartStart) -> None:
        self._name = part.name
        if part.name != self._field:
            self.fields[part.name] = ""
            if len(self.fields) > _MAX_FIELDS:
                raise ApiError("The form has too many fields.")
        elif self.filename is not None:
            raise ApiError(f"Send one '{self._field}' in a request.", param=self._field)
        else:
            self.filename = base_name(part.filename)

    async def _take_bytes(self, data: bytes) -> None:
        self.n_bytes += len(data)
        if self.n_bytes > self._max_bytes:
            raise too_large(self._max_bytes, param=self._field)
        self._pending += data
        if len(self._pending) >= _FLUSH_BYTES:
            await self._flush()

    async def _flush(self) -> None:
        data = bytes(self._pending)
        self._pending.clear()
        await asyncio.to_thread(self._draft.write, data)

    def _take_field(self, data: bytes) -> None:
        text = self.fields[self._name] + data.decode("utf-8", "replace")
        if len(text) > _MAX_FIELD_BYTES:
            raise ApiError(f"The form field '{self._name[:50]}' is too long.")
        self.fields[self._name] = text
