"""The list of corrections, filtered, and each one on its own page."""

import json
from dataclasses import fields, replace
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dashboard.forms.corrections import CommentForm
from dashboard.models import Correction
from dashboard.services import access, corrections, paging
from dashboard.services.access import Permission
from dashboard.services.corrections import Filter
from dashboard.services.trainings import files
from dashboard.views.doors import is_htmx, reader, requires

PAGE = 20
State = Correction.State


@require_GET
@requires(Permission.PROPOSE)
def list_(request: HttpRequest) -> HttpResponse:
    """The page; for whoever sees everything, with what they may filter by."""
    context = queue_context(request)
    if access.can(request.user, Permission.VIEW):
        context |= {
            "reviewers": corrections.reviewers(),
            "places": corrections.places_for(reader(request)),
        }
    if access.can(request.user, Permission.DATA):
        context["left_out"] = files.left_out()
    return render(request, "dashboard/corrections/list.html", context)


@require_GET
@requires(Permission.PROPOSE)
def queue(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/corrections/_queue.html", queue_context(request))


@require_GET
@requires(Permission.PROPOSE)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of one correction, or for htmx its card anew."""
    correction = visible(request, pk)
    context: dict[str, Any] = {"correction": correction, "is_alone": True}
    if is_htmx(request):
        return render(request, "dashboard/corrections/_card.html", context)
    context |= {"entries": corrections.timeline(correction), "form": CommentForm()}
    return render(request, "dashboard/corrections/detail.html", context)


@require_GET
@requires(Permission.PROPOSE)
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """What happened to it and was said about it, anew."""
    correction = visible(request, pk)
    context = {"correction": correction, "entries": corrections.timeline(correction)}
    return render(request, "dashboard/corrections/_history.html", context)


def visible(request: HttpRequest, pk: int) -> Correction:
    """A correction that the reader may see, with its votes. Raises NotFound."""
    correction = corrections.visible_to(reader(request)).filter(pk=pk).first()
    if correction is None:
        raise corrections.no_such()
    return with_votes(correction)


def with_votes(correction: Correction) -> Correction:
    """The same with `tally`, for its card."""
    correction.tally = corrections.tally(correction)  # type: ignore[attr-defined]  # for templates
    return correction


def queue_context(request: HttpRequest, *, state: str = "") -> dict[str, Any]:
    """state: which list to show, whatever the address says."""
    user = reader(request)
    chosen = Filter(**{each.name: request.GET.get(each.name, "") for each in fields(Filter)})
    if not access.can(user, Permission.VIEW):
        chosen = Filter(state=chosen.state, text=chosen.text)
    rows = corrections.find(user, replace(chosen, state=""))
    counted = dict(rows.order_by().values_list("state").annotate(n=Count("pk")))
    state = state or chosen.state
    if state not in State.values:
        state = State.PROPOSED if counted.get(State.PROPOSED) else State.APPROVED
    found = paging.page(
        rows.filter(state=state),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        size=PAGE,
    )
    votes = corrections.tallies(found.rows)
    for row in found.rows:
        row.tally = votes[row.pk]  # type: ignore[attr-defined]  # for templates
    may_review = access.can(user, Permission.REVIEW)
    return {
        "page": found,
        "state": state,
        "chosen": chosen,
        "tabs": [(each.value, each.label, counted.get(each.value, 0)) for each in State],
        "last_step": corrections.undoable(user) if may_review else None,
        "assignees": corrections.reviewers() if may_review else [],
    }


def queue_again(
    request: HttpRequest, *, state: str = "", sentence: str = "", focus: int | None = None
) -> HttpResponse:
    """The list in the place of the one that htmx asked from.

    sentence: said aloud beside it. focus: the card that the reviewer goes on with.
    """
    context = queue_context(request, state=state)
    response = render(request, "dashboard/corrections/_queue.html", context)
    response["HX-Retarget"] = "#queue"
    response["HX-Reswap"] = "outerHTML settle:0ms"
    told: dict[str, Any] = {"decided": {"sentence": sentence, "focus": focus}}
    response["HX-Trigger"] = json.dumps(told)
    return response
