"""/v1/uploads: a file in parts, for what is too large or the line too weak for one request."""

import asyncio
import re
from typing import NoReturn

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainerbot.errors import NotFound
from trainerbot.modelserver.api import wire
from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.api.forms import FileForm, base_name, too_large
from trainerbot.modelserver.api.purposes import ExpiresAfter, check_file, life_s
from trainerbot.modelserver.api.requests import in_range, read_body
from trainerbot.modelserver.store import Store

MAX_PART_BYTES = 64 * 1024 * 1024
_MAX_MIME_LENGTH = 255
_MD5 = re.compile(r"[0-9a-fA-F]{32}")


class UploadBody(msgspec.Struct):
    """POST /v1/uploads."""

    bytes: int
    filename: str
    mime_type: str
    purpose: str
    expires_after: ExpiresAfter | None = None


class CompleteBody(msgspec.Struct):
    """POST /v1/uploads/{id}/complete."""

    part_ids: list[str]
    md5: str | None = None


def routes(
    store: Store, *, max_upload_bytes: int, max_part_bytes: int = MAX_PART_BYTES
) -> list[Route]:
    """Return the routes of /v1/uploads."""

    async def create(request: Request) -> Response:
        body = await read_body(request, UploadBody)
        filename = base_name(body.filename)
        check_file(body.purpose, filename)
        in_range("bytes", body.bytes, low=0)
        if body.bytes > max_upload_bytes:
            raise too_large(max_upload_bytes, param="bytes")
        if len(body.mime_type) > _MAX_MIME_LENGTH:
            raise ApiError(
                "Invalid 'mime_type': string too long.", param="mime_type", code="invalid_value"
            )
        keep_s = life_s(body.purpose, body.expires_after)
        upload = await asyncio.to_thread(
            lambda: store.add_upload(
                filename=filename,
                purpose=body.purpose,
                mime_type=body.mime_type,
                n_bytes=body.bytes,
                file_expires_after_s=keep_s,
            )
        )
        return JSONResponse(wire.upload_object(upload))

    async def add_part(request: Request) -> Response:
        upload_id = request.path_params["upload_id"]
        with _NoUpload():
            # Before the body: 64 MB for nothing are many.
            await asyncio.to_thread(store.pending_upload, upload_id)
            draft = await asyncio.to_thread(store.blobs.draft)
            try:
                form = FileForm(draft, field="data", max_bytes=max_part_bytes)
                await form.read(request)
                part = await asyncio.to_thread(lambda: store.add_part(upload_id, draft.finish()))
            finally:
                await asyncio.to_thread(draft.discard)
        return JSONResponse(wire.part_object(part))

    async def complete(request: Request) -> Response:
        body = await read_body(request, CompleteBody)
        # Some clients send a word here that is no checksum; there is nothing to compare it with.
        md5 = body.md5 if body.md5 and _MD5.fullmatch(body.md5) else None
        with _NoUpload():
            upload, file = await asyncio.to_thread(
                lambda: store.complete_upload(
                    request.path_params["upload_id"], body.part_ids, md5=md5
                )
            )
        return JSONResponse(wire.upload_object(upload, file))

    def cancel(request: Request) -> Response:
        with _NoUpload():
            upload = store.cancel_upload(request.path_params["upload_id"])
        return JSONResponse(wire.upload_object(upload))

    return [
        Route("/v1/uploads", create, methods=["POST"]),
        Route("/v1/uploads/{upload_id}/parts", add_part, methods=["POST"]),
        Route("/v1/uploads/{upload_id}/complete", complete, methods=["POST"]),
        Route("/v1/uploads/{upload_id}/cancel", cancel, methods=["POST"]),
    ]


class _NoUpload:
    """Names the parameter at fault when there is no such upload."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, NotFound):
            _no_upload(error)


def _no_upload(error: NotFound) -> NoReturn:
    raise ApiError(str(error), status=404, param="upload_id") from error
