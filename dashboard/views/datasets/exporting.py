"""Versions as files: asked for, written in the background, downloaded."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_POST

from dashboard.services import exports
from dashboard.services.access import Permission
from dashboard.views.datasets.exported import context
from dashboard.views.datasets.found import version_of
from dashboard.views.datasets.versions import address
from dashboard.views.doors import reader, requires

PIECE_BYTES = 256 * 1024


@require_GET
@requires(Permission.VIEW)
def panel(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """What a version can be written as, and the files that were made of it."""
    version = version_of(pk, number)
    return render(request, "dashboard/datasets/versions/_exports.html", context(version))


@require_POST
@requires(Permission.DATA)
def start(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    version = version_of(pk, number)
    exports.start(
        version,
        formats=request.POST.getlist("format"),
        actor=reader(request),
        part=request.POST.get("part", ""),
        as_archive="archive" in request.POST,
    )
    messages.info(request, "It is being written; the download appears under Export.")
    return redirect(f"{address(version)}#exports")


@require_GET
@requires(Permission.VIEW)
def download(request: HttpRequest, export: uuid.UUID) -> HttpResponseBase:
    found = exports.download(exports.get(export))
    response = StreamingHttpResponse(_pieces(found.path), content_type=found.content_type)
    response["Content-Length"] = str(found.n_bytes)
    response["Content-Disposition"] = content_disposition_header(True, found.filename)
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
@requires(Permission.DATA)
def cancel(request: HttpRequest, export: uuid.UUID) -> HttpResponse:
    exported = exports.get(export)
    exports.cancel(exported, actor=reader(request))
    return redirect(f"{address(exported.version)}#exports")


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    """The file a piece at a time; a FileResponse would be read whole under ASGI."""
    file = await sync_to_async(lambda: path.open("rb"))()
    try:
        while piece := await sync_to_async(file.read)(PIECE_BYTES):
            yield piece
    finally:
        await sync_to_async(file.close)()
