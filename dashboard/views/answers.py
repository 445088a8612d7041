"""One answer of the bot, wherever it is shown: again, corrected, rated."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.corrections import CorrectForm
from dashboard.models import Message
from dashboard.services import conversations, corrections
from dashboard.services import feedback as feedback_service
from dashboard.services.access import Permission
from dashboard.views.doors import reader, requires
from dashboard.views.transcripts import present
from trainerbot.errors import InvalidInput


@require_GET
@requires(Permission.CHAT)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The answer as the transcript shows it."""
    return _answer(request, conversations.get_answer(pk, user=reader(request)))


@require_http_methods(["GET", "POST"])
@requires(Permission.PROPOSE)
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """The inside of the dialog: the form, then what became of it beside the answer anew."""
    message = conversations.get_answer(pk, user=reader(request))
    home = corrections.home_of(message)
    form = CorrectForm(
        request.POST or None, actor=reader(request), belongs_to=home, now=(home, None)
    )
    if request.method == "POST" and form.is_valid():
        correction = form.attempt(
            lambda: corrections.propose_for(
                message=message,
                better_answer=form.cleaned_data["better_answer"],
                author=reader(request),
                place=form.chosen_place(),
            )
        )
        if correction is not None:
            context = {"correction": correction, "shown": present([message], reader(request))[0]}
            response = render(request, "dashboard/answers/_corrected.html", context)
            response["HX-Trigger"] = json.dumps({"saved": {"draft": f"answer-{pk}"}})
            return response
    status = 422 if form.is_bound else 200
    context = {"form": form, "message": message}
    return render(request, "dashboard/answers/_correct.html", context, status=status)


@require_POST
@requires(Permission.CHAT)
def feedback(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the reader's thumb: `rating` is 1, -1, or 0 to take it back."""
    message = conversations.get_answer(pk, user=reader(request))
    try:
        rating = int(request.POST.get("rating", ""))
    except ValueError as error:
        raise InvalidInput("A rating is 1 (good), -1 (bad) or 0 (neither).") from error
    feedback_service.give(message=message, rating=rating, by=reader(request))
    return _answer(request, message)


def _answer(request: HttpRequest, message: Message) -> HttpResponse:
    context = {"shown": present([message], reader(request))[0]}
    return render(request, "dashboard/answers/_answer.html", context)
