"""What a correction would do before it is saved, and what is wrong among those in force."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from dashboard.models import Correction, Message
from dashboard.services import alarms as alarm_service
from dashboard.services import conversations, corrections, foresight
from dashboard.services.access import Permission
from dashboard.services.foresight import Foreseen
from dashboard.views.corrections.queue import visible
from dashboard.views.doors import reader, requires, whole_number
from trainerbot.errors import TrainerBotError


@require_POST
@requires(Permission.VIEW)
def foresee(request: HttpRequest) -> HttpResponse:
    """For a form as it is filled in so far: of a stored one, of an answer, or of a new question."""
    correction: Correction | None = None
    answer: Message | None = None
    pk = whole_number(request.POST.get("correction", ""), max_digits=18)
    answer_pk = whole_number(request.POST.get("answer", ""), max_digits=18)
    if pk is not None:
        correction = visible(request, pk)
    if answer_pk is not None:
        answer = conversations.get_answer(answer_pk, user=reader(request))
    found, problem = Foreseen(), ""
    try:
        found = _foreseen(request, correction, answer)
    except TrainerBotError as error:
        problem = str(error)  # the form says it too, once it is sent
    context = {"foreseen": found, "problem": problem}
    return render(request, "dashboard/corrections/_foreseen.html", context)


@require_GET
@requires(Permission.VIEW)
def alarms(request: HttpRequest) -> HttpResponse:
    context = {"alarms": alarm_service.everything()}
    return render(request, "dashboard/corrections/_alarms.html", context)


@require_GET
@requires(Permission.VIEW)
def alarms_count(request: HttpRequest) -> HttpResponse:
    """How many alarms there are, for the first page."""
    context = {"n_alarms": alarm_service.everything().n}
    return render(request, "dashboard/corrections/_alarms_count.html", context)


def _foreseen(
    request: HttpRequest, correction: Correction | None, answer: Message | None
) -> Foreseen:
    message = correction.message if correction is not None else answer
    question = request.POST.get("question", "")
    guild, channel = corrections.read_place(request.POST.get("place", ""))
    if correction is not None:
        question = correction.question
        if "place" not in request.POST:
            guild, channel = correction.guild, correction.channel
    elif answer is not None:
        question = answer.reply_to.content if answer.reply_to else ""
        if "place" not in request.POST:
            guild = corrections.home_of(answer)
    words = request.POST.get("better_answer", "").replace("\r\n", "\n")
    if question.strip():
        corrections.check_question(question)
    if words.strip():
        corrections.check_answer(words)
    return foresight.foresee(
        question=question,
        better_answer=words,
        guild=guild,
        channel=channel,
        correction=correction,
        message=message,
    )
