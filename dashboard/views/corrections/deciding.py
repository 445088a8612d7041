"""Approving, rejecting, editing, moving, undoing; one by one and many at once."""

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.forms.corrections import CorrectForm, PlacedForm, RejectForm
from dashboard.models import Correction
from dashboard.services import corrections
from dashboard.services.access import Permission
from dashboard.services.corrections import Picked
from dashboard.views.corrections.queue import queue_again, visible, with_votes
from dashboard.views.doors import is_htmx, reader, requires, whole_number
from trainerbot.errors import Conflict, InvalidInput

State = Correction.State


@require_POST
@requires(Permission.REVIEW)
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    correction = _seen(request, pk)
    return _decided(request, corrections.approve(correction=correction, reviewer=reader(request)))


@require_http_methods(["GET", "POST"])
@requires(Permission.REVIEW)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change words and place: of one in force as it stands, of any other while approving it."""
    correction = visible(request, pk)
    form = CorrectForm(
        request.POST or None,
        initial={"better_answer": correction.better_answer},
        **_places_of(request, correction),
    )
    if request.method == "POST" and form.is_valid():
        changed = form.attempt(lambda: _edited(request, pk, form))
        if changed is not None:
            return _decided(request, changed)
    status = 422 if form.is_bound else 200
    context = {"form": form, "correction": correction}
    return render(request, "dashboard/corrections/_edit.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Permission.REVIEW)
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose where it counts, and nothing else."""
    correction = visible(request, pk)
    form = PlacedForm(request.POST or None, **_places_of(request, correction))
    if request.method == "POST" and form.is_valid():
        moved = form.attempt(lambda: _moved(request, pk, form))
        if moved is not None:
            return _decided(request, moved)
    status = 422 if form.is_bound else 200
    context = {"form": form, "correction": correction}
    return render(request, "dashboard/corrections/_move.html", context, status=status)


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
    context = {"form": form, "correction": visible(request, pk)}
    return render(request, "dashboard/corrections/_reject.html", context, status=status)


@require_POST
@requires(Permission.REVIEW)
def undo(request: HttpRequest) -> HttpResponse:
    """Take back what the reader did last, and show it where it is now."""
    step = whole_number(request.POST.get("step", ""), max_digits=18)
    correction = corrections.undo(user=reader(request), step=step)
    sentence = f"Taken back. {became(correction)}"
    if is_htmx(request):
        return queue_again(request, state=correction.state, sentence=sentence, focus=correction.pk)
    messages.success(request, sentence)
    return redirect(f"{resolve_url('correction-list')}?state={correction.state}")


@require_POST
@requires(Permission.REVIEW)
def bulk(request: HttpRequest) -> HttpResponse:
    """The same decision on all that were selected."""
    outcome = corrections.decide_all(
        [_picked(value) for value in request.POST.getlist("picked")],
        request.POST.get("act", ""),
        reviewer=reader(request),
        note=request.POST.get("note", "")[:1000],
        assignee=assignee_of(request),
    )
    if is_htmx(request):
        return queue_again(request, sentence=outcome.sentence)
    (messages.warning if outcome.n_refused else messages.success)(request, outcome.sentence)
    return redirect(f"{resolve_url('correction-list')}?{request.GET.urlencode()}")


def assignee_of(request: HttpRequest) -> User | None:
    """Whom a form names: "me", an account's id, or "" for nobody. Raises InvalidInput."""
    value = request.POST.get("assignee", "")
    if value == "me":
        return reader(request)
    if not value:
        return None
    number = whole_number(value)
    found = corrections.reviewers().filter(pk=number).first() if number is not None else None
    if found is None:
        raise InvalidInput("There is no such reviewer. Choose one from the list.")
    return found


def became(correction: Correction) -> str:
    """What a correction is by now, in a sentence."""
    match correction.state:
        case State.APPROVED:
            return f"Correction #{correction.pk} is in force from the next message."
        case State.REJECTED:
            return f"Correction #{correction.pk} is rejected."
        case _:
            votes = corrections.tally(correction).in_words
            return f"Correction #{correction.pk} waits for review{f': {votes}' if votes else ''}."


def _picked(value: str) -> Picked:
    """What a checkbox of the list names. Raises InvalidInput."""
    number, _, rest = value.partition(":")
    state, _, revision = rest.partition(":")
    pk, n = whole_number(number, max_digits=18), whole_number(revision)
    if pk is None or n is None:
        raise InvalidInput("The page was too old for this. Reload it and select again.")
    return Picked(pk, state, n)


def _seen(request: HttpRequest, pk: int) -> Correction:
    """The correction, if it still stands as the reviewer's page shows it."""
    correction = visible(request, pk)
    seen = whole_number(request.POST.get("revision", "")) or correction.revision
    if (correction.state, correction.revision) != (request.POST.get("state"), seen):
        raise Conflict(
            f"Correction #{pk} is {correction.get_state_display().lower()} by now, or was changed: "
            "somebody else was faster. Look at it again."
        )
    return correction


def _places_of(request: HttpRequest, correction: Correction) -> dict[str, Any]:
    return {
        "actor": reader(request),
        "belongs_to": correction.guild or corrections.home_of(correction.message),
        "now": (correction.guild, correction.channel),
    }


def _edited(request: HttpRequest, pk: int, form: CorrectForm) -> Correction:
    correction = _seen(request, pk)
    words, place = form.cleaned_data["better_answer"], form.chosen_place()
    if correction.state == State.APPROVED:
        return corrections.edit(
            correction=correction, better_answer=words, editor=reader(request), place=place
        )
    return corrections.approve(
        correction=correction, reviewer=reader(request), better_answer=words, place=place
    )


def _moved(request: HttpRequest, pk: int, form: PlacedForm) -> Correction:
    guild, channel = form.chosen_place()
    return corrections.move(
        correction=_seen(request, pk), guild=guild, channel=channel, editor=reader(request)
    )


def _decided(request: HttpRequest, correction: Correction) -> HttpResponse:
    """Where the reviewer came from, anew: the one card, or the queue."""
    is_alone = request.GET.get("view") == "card"
    if not is_htmx(request):
        messages.success(request, became(correction))
        if is_alone:
            return redirect("correction-detail", pk=correction.pk)
        return redirect(f"{resolve_url('correction-list')}?{request.GET.urlencode()}")
    if is_alone:
        context = {"correction": with_votes(correction), "is_alone": True}
        response = render(request, "dashboard/corrections/_card.html", context)
        response["HX-Retarget"] = f"#correction-{correction.pk}"
        response["HX-Reswap"] = "outerHTML settle:0ms"
        response["HX-Trigger"] = json.dumps({"decided": {"sentence": became(correction)}})
    else:
        response = queue_again(request, sentence=became(correction))
    told = json.loads(response["HX-Trigger"])
    told["saved"] = {"draft": f"correction-{correction.pk}", "closes": True}
    response["HX-Trigger"] = json.dumps(told)
    return response
