"""Teaching without a wrong answer, and taking along what was taught."""

from collections.abc import AsyncIterator

from channels.db import database_sync_to_async
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods

from dashboard.forms.corrections import TeachForm
from dashboard.models import Correction
from dashboard.services import corrections
from dashboard.services.access import Permission
from dashboard.services.trainings import files
from dashboard.views.corrections.deciding import became
from dashboard.views.doors import reader, requires
from trainerbot.formats.rows import Kind

taught_piece = database_sync_to_async(files.piece)


@require_http_methods(["GET", "POST"])
@requires(Permission.PROPOSE)
def teach(request: HttpRequest) -> HttpResponse:
    """A question and its right answer, without waiting for a wrong one."""
    form = TeachForm(request.POST or None, actor=reader(request))
    if request.method == "POST" and form.is_valid():
        correction = form.attempt(lambda: _taught(request, form))
        if correction is not None:
            messages.success(request, became(correction))
            return redirect("correction-detail", pk=correction.pk)
    status = 422 if form.is_bound else 200
    return render(request, "dashboard/corrections/teach.html", {"form": form}, status=status)


@require_GET
@requires(Permission.DATA)
def export(request: HttpRequest) -> HttpResponseBase:
    """What is in force, or was judged, and may be learned, as a file of training data."""
    kind = files.kind_of(request.GET.get("kind", Kind.CHAT))
    response = StreamingHttpResponse(_pieces(kind), content_type="application/jsonl")
    response["Content-Disposition"] = content_disposition_header(True, files.NAMES[kind])
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _taught(request: HttpRequest, form: TeachForm) -> Correction:
    guild, channel = form.chosen_place()
    return corrections.propose(
        question=form.cleaned_data["question"],
        better_answer=form.cleaned_data["better_answer"],
        guild=guild,
        channel=channel,
        author=reader(request),
    )


async def _pieces(kind: Kind) -> AsyncIterator[bytes]:
    lines, last = await taught_piece(kind, after=0)
    while lines:
        yield lines
        lines, last = await taught_piece(kind, after=last)
