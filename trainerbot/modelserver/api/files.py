"""/v1/files: upload, list, retrieve, content, delete."""

import asyncio
from collections.abc import AsyncIterator
from typing import NoReturn

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from trainerbot.errors import InvalidInput, NotFound
from trainerbot.modelserver.api import wire
from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.api.multipart import PartData, PartStart, boundary_of, read_parts
from trainerbot.modelserver.api.requests import whole_number
from trainerbot.modelserver.blobs import DraftWriter
from trainerbot.modelserver.store import Store

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
_MAX_FIELD_BYTES = 1024
_FLUSH_BYTES = 1024 * 1024


class Upload:
    """One upload as its parts arrive: plain fields, and a draft for the file's bytes."""

    def __init__(self, draft: DraftWriter, *, max_bytes: int) -> None:
        self.fields: dict[str, str] = {}
        self.filename: str | None = None
        self.n_bytes = 0
        self._draft = draft
        self._max_bytes = max_bytes
        self._name = ""
        self._pending = bytearray()

    async def read(self, parts: AsyncIterator[PartStart | PartData]) -> None:
        """Take in every part. Raises ApiError at the first byte too many."""
        in_file = False
        async for part in parts:
            if isinstance(part, PartStart):
                in_file = part.name == "file"
                self._name = part.name
                if not in_file:
                    self.fields[part.name] = ""
                elif self.filename is not None:
                    raise ApiError("Send one 'file' in a request.", param="file")
                else:
                    self.filename = _base_name(part.filename)
            elif in_file:
                await self._take_bytes(part.data)
            else:
                self._take_field(part.data)
        await self._flush()

    async def _take_bytes(self, data: bytes) -> None:
        self.n_bytes += len(data)
        if self.n_bytes > self._max_bytes:
            raise too_large(self._max_bytes)
        self._pending += data
        if len(self._pending) >= _FLUSH_BYTES:
            await self._flush()

    async def _flush(self) -> None:
        data = bytes(self._pending)
        self._pending.clear()
        await asyncio.to_thread(self._draft.write, data)

    def _take_field(self, data: bytes) -> None:
        text = self.fields[self._name] + data.decode("utf-8", "replace")
        if len(text) > _MAX_FIELD_BYTES or len(self.fields) > 20:
            raise ApiError(f"The form field '{self._name[:50]}' is too long.")
        self.fields[self._name] = text


def too_large(max_bytes: int) -> ApiError:
    """Return the error for a file over the limit."""
    return ApiError(
        f"File size limit exceeded. Limit is {max_bytes // (1024 * 1024)} MB.",
        status=413,
        param="file",
        code="file_too_large",
    )


def _base_name(filename: str | None) -> str:
    """Return the last part of a name that may come with a path of either system."""
    name = (filename or "upload").replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(c for c in name if c.isprintable())
    return printable[:255] or "upload"


def routes(store: Store, *, max_file_bytes: int) -> list[Route]:
    """Return the routes of /v1/files."""

    async def create(request: Request) -> Response:
        length = request.headers.get("content-length", "0")
        # Refuse at once what cannot fit; the form around the file is small.
        if length.isdecimal() and int(length) > max_file_bytes + 64 * 1024:
            raise too_large(max_file_bytes)
        boundary = boundary_of(request.headers.get("content-type", ""))
        draft = await asyncio.to_thread(store.blobs.draft)
        try:
            upload = Upload(draft, max_bytes=max_file_bytes)
            await upload.read(read_parts(request.stream(), boundary))
            purpose, filename = _checked(upload)
            file = await asyncio.to_thread(
                lambda: store.add_file(draft.finish(), filename=filename, purpose=purpose)
            )
        finally:
            await asyncio.to_thread(draft.discard)
        return JSONResponse(wire.file_object(file))

    def index(request: Request) -> Response:
        order = request.query_params.get("order", "desc")
        if order not in ("asc", "desc"):
            raise ApiError(
                f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'.",
                param="order",
                code="invalid_value",
            )
        page = store.files(
            after=request.query_params.get("after"),
            limit=whole_number(request, "limit", default=10_000, low=1, high=10_000),
            newest_first=order == "desc",
            purpose=request.query_params.get("purpose"),
        )
        data = [wire.file_object(file) for file in page.rows]
        return JSONResponse(
            {
                "object": "list",
                "data": data,
                "first_id": data[0]["id"] if data else None,
                "last_id": data[-1]["id"] if data else None,
                "has_more": page.has_more,
            }
        )

    def retrieve(request: Request) -> Response:
        try:
            return JSONResponse(wire.file_object(store.file(request.path_params["file_id"])))
        except NotFound as error:
            _no_file(error)

    def content(request: Request) -> Response:
        try:
            file = store.file(request.path_params["file_id"])
        except NotFound as error:
            _no_file(error)
        return FileResponse(
            store.blobs.path(file.sha256),
            media_type="application/octet-stream",
            filename=file.filename,
        )

    def delete(request: Request) -> Response:
        file_id = request.path_params["file_id"]
        try:
            store.delete_file(file_id)
        except NotFound as error:
            _no_file(error)
        return JSONResponse({"id": file_id, "object": "file", "deleted": True})

    return [
        Route("/v1/files", create, methods=["POST"]),
        Route("/v1/files", index, methods=["GET"]),
        Route("/v1/files/{file_id}", retrieve, methods=["GET"]),
        Route("/v1/files/{file_id}/content", content, methods=["GET"]),
        Route("/v1/files/{file_id}", delete, methods=["DELETE"]),
    ]


def _no_file(error: NotFound) -> NoReturn:
    raise ApiError(str(error), status=404, param="id") from error


def _checked(upload: Upload) -> tuple[str, str]:
    """Return the purpose and the file's name. Raises ApiError when the form is incomplete."""
    if upload.filename is None:
        raise ApiError("'file' is a required property", param="file")
    purpose = upload.fields.get("purpose")
    if purpose is None:
        raise ApiError("'purpose' is a required property", param="purpose")
    if purpose not in PURPOSES:
        raise ApiError(
            f"'{purpose[:50]}' is not one of {list(PURPOSES)} - 'purpose'", param="purpose"
        )
    if any(name.startswith("expires_after") for name in upload.fields):
        raise ApiError(
            "Unsupported parameter: 'expires_after'. Files here are kept until they are deleted.",
            param="expires_after",
            code="unsupported_parameter",
        )
    if upload.n_bytes == 0:
        raise InvalidInput("The file is empty. Choose one with content.")
    if purpose == "fine-tune" and not upload.filename.lower().endswith(".jsonl"):
        raise ApiError(
            "Invalid file format for Fine-Tuning API. Must be .jsonl",
            param="file",
            code="invalid_file_format",
        )
    return purpose, upload.filename
