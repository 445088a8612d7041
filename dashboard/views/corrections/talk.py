"""Who takes a correction on, and what is said about it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.forms.corrections import CommentForm
from dashboard.services import corrections
from dashboard.services.access import Permission
from dashboard.views.corrections.deciding import assignee_of
from dashboard.views.corrections.queue import queue_again, visible, with_votes
from dashboard.views.doors import is_htmx, reader, requires


@require_POST
@requires(Permission.REVIEW)
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    correction = corrections.assign(
        correction=visible(request, pk), assignee=assignee_of(request), actor=reader(request)
    )
    who = correction.assignee or "nobody"
    sentence = f"Correction #{pk} is assigned to {who}."
    if request.GET.get("view") == "card":
        if is_htmx(request):
            context = {"correction": with_votes(correction), "is_alone": True}
            response = render(request, "dashboard/corrections/_card.html", context)
            response["HX-Retarget"] = f"#correction-{pk}"
            response["HX-Reswap"] = "outerHTML settle:0ms"
            return response
        return redirect("correction-detail", pk=pk)
    if is_htmx(request):
        return queue_again(request, sentence=sentence)
    messages.success(request, sentence)
    return redirect(f"{resolve_url('correction-list')}?{request.GET.urlencode()}")


@require_http_methods(["POST"])
@requires(Permission.PROPOSE)
def comment(request: HttpRequest, pk: int) -> HttpResponse:
    """Say something about a correction that one may see."""
    correction = visible(request, pk)
    form = CommentForm(request.POST)
    if form.is_valid():
        said = form.attempt(
            lambda: corrections.comment(
                correction=correction, text=form.cleaned_data["text"], author=reader(request)
            )
        )
        if said is not None and not is_htmx(request):
            return redirect("correction-detail", pk=pk)
        if said is not None:
            form = CommentForm()
    context = {
        "correction": correction,
        "form": form,
        "entries": corrections.timeline(correction),
        "is_alone": True,
    }
    template = "_talk" if is_htmx(request) else "detail"
    status = 422 if form.is_bound else 200
    return render(request, f"dashboard/corrections/{template}.html", context, status=status)
