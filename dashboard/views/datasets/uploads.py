"""Files coming in: a plain form, and the tus 1.0 protocol for uploads that survive a bad line.

https://tus.io/protocols/resumable-upload, the core with `creation` and
`termination`. A sender that lost its connection asks by HEAD how many bytes
have come and goes on there, today or tomorrow, in this tab or another.
"""

import base64
import binascii
import uuid
from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_http_methods

from dashboard.forms.datasets import UploadForm
from dashboard.models import DatasetImport
from dashboard.services import imports
from dashboard.services.access import Permission
from dashboard.views.doors import reader, requires, whole_number
from trainerbot.errors import InvalidInput, NotFound

TUS = "1.0.0"
TUS_BYTES = "application/offset+octet-stream"
PIECE_BYTES = 256 * 1024


@require_http_methods(["GET", "POST"])
@requires(Permission.DATA)
def page(request: HttpRequest) -> HttpResponse:
    """The drop zone; without JavaScript its form posts the file whole."""
    posted = request.method == "POST"
    form = UploadForm(
        request.POST if posted else None,
        request.FILES if posted else None,
        initial={"name": request.GET.get("name", "")},
    )
    if posted and form.is_valid():
        imported = form.attempt(lambda: _receive_whole(request, form))
        if imported is not None:
            return redirect("dataset-import", key=imported.key)
    status = 422 if form.is_bound else 200
    context = {"form": form, "max_bytes": settings.MAX_UPLOAD_BYTES}
    return render(request, "dashboard/datasets/upload.html", context, status=status)


@require_http_methods(["OPTIONS", "POST"])
@requires(Permission.DATA)
def create(request: HttpRequest) -> HttpResponse:
    """Begin an upload. Its address comes back as `Location`, its page as `Import-Page`."""
    if request.method == "OPTIONS":
        response = _answer(204)
        response["Tus-Version"] = TUS
        response["Tus-Extension"] = "creation,termination"
        response["Tus-Max-Size"] = str(settings.MAX_UPLOAD_BYTES)
        return response
    if refused := _refused(request):
        return refused
    told = _metadata(request.headers.get("Upload-Metadata", ""))
    imported = imports.begin_upload(
        filename=told.get("filename", "file"),
        n_bytes=_number(request, "Upload-Length"),
        created_by=reader(request),
        name=told.get("name", ""),
    )
    response = _answer(201)
    response["Location"] = resolve_url("dataset-upload-pieces", key=imported.key)
    response["Import-Page"] = resolve_url("dataset-import", key=imported.key)
    return response


@require_http_methods(["HEAD", "PATCH", "DELETE"])
@requires(Permission.DATA)
def upload(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """How many bytes have come (HEAD), the next ones (PATCH), or no more of them (DELETE)."""
    if refused := _refused(request):
        return refused
    imported = _mine(request, key)
    if request.method == "DELETE":
        imports.cancel(imported, actor=reader(request))
        return _answer(204)
    response = _answer(200 if request.method == "HEAD" else 204)
    if request.method == "PATCH":
        if request.content_type != TUS_BYTES:
            return _answer(415)
        offset = _number(request, "Upload-Offset")
        received = imports.receive(imported, offset=offset, pieces=_pieces(request))
        response["Upload-Offset"] = str(received)
        return response
    if imported.is_over:
        # What it was is no longer there to be continued.
        return _answer(410)
    response["Upload-Offset"] = str(imported.n_received)
    response["Upload-Length"] = str(imported.n_bytes)
    response["Import-Page"] = resolve_url("dataset-import", key=imported.key)
    response["Cache-Control"] = "no-store"
    return response


def _receive_whole(request: HttpRequest, form: UploadForm) -> DatasetImport:
    file = form.cleaned_data["file"]
    imported = imports.begin_upload(
        filename=file.name or "file",
        n_bytes=file.size,
        created_by=reader(request),
        name=form.cleaned_data["name"],
    )
    imports.receive(imported, offset=0, pieces=file.chunks(PIECE_BYTES))
    return imported


def _mine(request: HttpRequest, key: uuid.UUID) -> DatasetImport:
    imported = imports.get(key)
    if imported.created_by_id != reader(request).pk:
        raise NotFound("There is no such upload of yours.")
    return imported


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    """The body as it lies in Django's spooled file: never whole in memory."""
    while piece := request.read(PIECE_BYTES):
        yield piece


def _refused(request: HttpRequest) -> HttpResponse | None:
    """The protocol's answer to a sender that speaks another version of it."""
    if request.headers.get("Tus-Resumable") == TUS:
        return None
    response = _answer(412)
    response["Tus-Version"] = TUS
    return response


def _answer(status: int) -> HttpResponse:
    response = HttpResponse(status=status)
    response["Tus-Resumable"] = TUS
    return response


def _number(request: HttpRequest, header: str) -> int:
    value = whole_number(request.headers.get(header, ""), max_digits=18)
    if value is None:
        raise InvalidInput(f"The header {header} must be a number of bytes.")
    return value


def _metadata(header: str) -> dict[str, str]:
    """`filename ZmlsZQ==,name bmFtZQ==` as a mapping; what is damaged is left out."""
    told: dict[str, str] = {}
    for pair in header.split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            told[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    return told
