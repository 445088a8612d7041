"""Blind votes on Discord: asked for here, and how they stand."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.forms.polls import PollForm
from dashboard.models import SuitePoll
from dashboard.services.access import Permission
from dashboard.services.suites import polls, votes
from dashboard.views.doors import reader, requires
from dashboard.views.suites.runs import both
from trainerbot.errors import NotFound


@require_http_methods(["GET", "POST"])
@requires(Permission.SETTINGS)
def page(request: HttpRequest) -> HttpResponse:
    """Ask about pairs of two runs in a channel; below, the polls on these two."""
    first, second = both(request)
    form = PollForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        asked = form.attempt(
            lambda: polls.ask(
                first,
                second,
                channel_id=given["channel"],
                hours=given["hours"],
                n=given["n"],
                only=given["only"],
                key=given["key"],
                actor=reader(request),
            )
        )
        if asked is not None:
            n = len(asked)
            messages.success(request, f"The bot posts {n} poll{'' if n == 1 else 's'}.")
            return redirect(f"{resolve_url('run-polls')}?a={first.pk}&b={second.pk}")
    context = {
        "form": form,
        "first": first,
        "second": second,
        "polls": polls.of(first, second),
        "people": votes.tally(first, second),
    }
    status = 422 if form.is_bound else 200
    return render(request, "dashboard/votes/polls.html", context, status=status)


@require_POST
@requires(Permission.SETTINGS)
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End one before its time."""
    poll = SuitePoll.objects.select_related("first", "second").filter(pk=pk).first()
    if poll is None:
        raise NotFound("There is no such poll.")
    polls.end_now(pk, actor=reader(request))
    messages.success(request, "The bot ends this poll and counts it.")
    return redirect(f"{resolve_url('run-polls')}?a={poll.first.run_id}&b={poll.second.run_id}")
