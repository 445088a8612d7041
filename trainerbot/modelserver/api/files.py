"""/v1/files: upload, list, retrieve, content, delete."""

import asyncio
from typing import NoReturn

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainerbot.errors import InvalidInput, NotFound
from trainerbot.modelserver.api import wire
from trainerbot.modelserver.api.downloads import Download
from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.api.forms import FileForm
from trainerbot.modelserver.api.pages import newest_first, page
from trainerbot.modelserver.api.purposes import check_file, form_wish, life_s
from trainerbot.modelserver.api.requests import whole_number
from trainerbot.modelserver.store import Store


def routes(store: Store, *, max_file_bytes: int) -> list[Route]:
    """Return the routes of /v1/files."""

    async def create(request: Request) -> Response:
        draft = await asyncio.to_thread(store.blobs.draft)
        try:
            form = FileForm(draft, field="file", max_bytes=max_file_bytes)
            await form.read(request)
            purpose, filename, keep_s = _checked(form)
            file = await asyncio.to_thread(
                lambda: store.add_file(
                    draft.finish(), filename=filename, purpose=purpose, expires_after_s=keep_s
                )
            )
        finally:
            await asyncio.to_thread(draft.discard)
        return JSONResponse(wire.file_object(file))

    def index(request: Request) -> Response:
        found = store.files(
            after=request.query_params.get("after"),
            limit=whole_number(request, "limit", default=10_000, low=0, high=10_000),
            newest_first=newest_first(request, ascending="asc", descending="desc"),
            purpose=request.query_params.get("purpose"),
        )
        return page([wire.file_object(file) for file in found.rows], found.has_more)

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
        # Somebody may delete it before it is opened.
        gone = _missing(f"No such File object: {file.id}")
        return Download(store.blobs.path(file.sha256), filename=file.filename, gone=gone)

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
    raise _missing(str(error)) from error


def _missing(message: str) -> ApiError:
    return ApiError(message, status=404, param="id")


def _checked(form: FileForm) -> tuple[str, str, int | None]:
    """Return purpose, file name and seconds to keep. Raises ApiError when something is wrong."""
    purpose, filename = form.fields.get("purpose"), form.filename
    if purpose is None:
        raise ApiError("'purpose' is a required property", param="purpose")
    assert filename is not None  # FileForm.read needs the file
    check_file(purpose, filename)
    if form.n_bytes == 0:
        raise InvalidInput("The file is empty. Choose one with content.")
    return purpose, filename, life_s(purpose, form_wish(form.fields))
