"""The review queue: what people taught, judged and put in force."""

import json
from collections.abc import AsyncIterator

from channels.db import database_sync_to_async
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.corrections import CorrectForm, RejectForm, TeachForm
from dashboard.models import Correction
from dashboard.services import corrections, paging, taught
from dashboard.services.access import Permission
from dashboard.views.doors import is_htmx, reader, requires
from trainerbot.errors import Conflict, NotFound
from trainerbot.formats.rows import Kind

taught_piece = database_sync_to_async(taught.piece)
PAGE = 20
State = Correction.State


@require_GET
@requires(Permission.PROPOSE)
def list_(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/corrections/list.html", _queue(request))


@require_GET
@requires(Permission.PROPOSE)
def queue(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/corrections/_queue.html", _queue(request))


@require_GET
@requires(Permission.PROPOSE)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of one correction, or for htmx its card anew."""
    template = "_card" if is_htmx(request) else "detail"
    context = {"correction": _get(request, pk), "is_alone": True}
    return render(request, f"dashboard/corrections/{template}.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.PROPOSE)
def teach(request: HttpRequest) -> HttpResponse:
    """A question and its right answer, without waiting for a wrong one."""
    form = TeachForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        correction = form.attempt(
            lambda: corrections.propose(**form.cleaned_data, author=reader(request))
        )
        if correction is not None:
            messages.success(request, _became(correction))
            return redirect("correction-detail", pk=correction.pk)
    status = 422 if form.is_bound else 200
    return render(request, "dashboard/corrections/teach.html", {"form": form}, status=status)


@require_GET
@requires(Permission.DATA)
def export(request: HttpRequest) -> HttpResponseBase:
    """What is in force, or was judged, as a file of training data."""
    kind = taught.kind_of(request.GET.get("kind", Kind.CHAT))
    response = StreamingHttpResponse(_pieces(kind), content_type="application/jsonl")
    response["Content-Disposition"] = content_disposition_header(True, taught.NAMES[kind])
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
@requires(Permission.REVIEW)
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    correction = _seen(request, pk)
    return _decided(request, corrections.approve(correction=correction, reviewer=reader(request)))


@require_http_methods(["GET", "POST"])
@requires(Permission.REVIEW)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the words: of one in force as it stands, of any other while putting it in force."""
    correction = _get(request, pk)
    form = CorrectForm(request.POST or None, initial={"better_answer": correction.better_answer})
    if request.method == "POST" and form.is_valid():
        changed = form.attempt(
            lambda: _edited(request, pk, better_answer=form.cleaned_data["better_answer"])
        )
        if changed is not None:
            return _decided(request, changed)
    status = 422 if form.is_bound else 200
    context = {"form": form, "correction": correction}
    return render(request, "dashboard/corrections/_edit.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Permission.REVIEW)
def reject(request: HttpRequest, pk: int) -> HttpResponse:
    form = RejectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        rejected = form.attempt(
            lambda: corrections.reject(
                correction=_seen(request, pk),
                reviewer=reader(request),
                note=form.cleaned_data["note"],
            )
        )
        if rejected is not None:
            return _decided(request, rejected)
    status = 422 if form.is_bound else 200
    context = {"form": form, "correction": _get(request, pk)}
    return render(request, "dashboard/corrections/_reject.html", context, status=status)


def _get(request: HttpRequest, pk: int) -> Correction:
    correction = corrections.visible_to(reader(request)).filter(pk=pk).first()
    if correction is None:
        raise NotFound("There is no such correction.")
    return correction


def _seen(request: HttpRequest, pk: int) -> Correction:
    """The correction, if it still stands as the reviewer's page shows it."""
    correction = _get(request, pk)
    if correction.state != request.POST.get("state"):
        raise Conflict(
            f"Correction #{pk} is {correction.get_state_display().lower()} by now: "
            "somebody else was faster. Look at it again."
        )
    return correction


def _edited(request: HttpRequest, pk: int, *, better_answer: str) -> Correction:
    correction = _seen(request, pk)
    if correction.state == State.APPROVED:
        return corrections.edit(
            correction=correction, better_answer=better_answer, editor=reader(request)
        )
    return corrections.approve(
        correction=correction, reviewer=reader(request), better_answer=better_answer
    )


def _decided(request: HttpRequest, correction: Correction) -> HttpResponse:
    """Where the reviewer came from, anew: the one card, or the queue."""
    is_alone = request.GET.get("view") == "card"
    if not is_htmx(request):
        messages.success(request, _became(correction))
        if is_alone:
            return redirect("correction-detail", pk=correction.pk)
        return redirect(f"{resolve_url('correction-list')}?{request.GET.urlencode()}")
    if is_alone:
        context = {"correction": _get(request, correction.pk), "is_alone": True}
        response = render(request, "dashboard/corrections/_card.html", context)
        response["HX-Retarget"] = f"#correction-{correction.pk}"
    else:
        response = render(request, "dashboard/corrections/_queue.html", _queue(request))
        response["HX-Retarget"] = "#queue"
    response["HX-Reswap"] = "outerHTML settle:0ms"
    saved = {"draft": f"correction-{correction.pk}", "closes": True}
    response["HX-Trigger"] = json.dumps({"saved": saved})
    return response


def _queue(request: HttpRequest) -> dict[str, object]:
    rows = corrections.visible_to(reader(request))
    counted = dict(rows.order_by().values_list("state").annotate(n=Count("pk")))
    state = request.GET.get("state", "")
    if state not in State.values:
        state = State.PROPOSED if counted.get(State.PROPOSED) else State.APPROVED
    found = paging.page(
        rows.filter(state=state),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        size=PAGE,
    )
    return {
        "page": found,
        "state": state,
        "tabs": [(each.value, each.label, counted.get(each.value, 0)) for each in State],
        "n_all": sum(counted.values()),
    }


async def _pieces(kind: Kind) -> AsyncIterator[bytes]:
    lines, last = await taught_piece(kind, after=0)
    while lines:
        yield lines
        lines, last = await taught_piece(kind, after=last)


def _became(correction: Correction) -> str:
    match correction.state:
        case State.APPROVED:
            return f"Correction #{correction.pk} is in force from the next message."
        case State.REJECTED:
            return f"Correction #{correction.pk} is rejected."
        case _:
            return f"Correction #{correction.pk} waits for review."
