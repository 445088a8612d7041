"""Blind votes on pairs of answers, one after the other, on the keyboard if one likes."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from dashboard.models import SuiteRun
from dashboard.services.access import Permission
from dashboard.services.suites import votes
from dashboard.views.doors import is_htmx, reader, requires, whole_number
from dashboard.views.suites.runs import both
from trainerbot.errors import Conflict, InvalidInput


@require_GET
@requires(Permission.REVIEW)
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/votes/page.html", _pair(request, *both(request)))


@require_POST
@requires(Permission.REVIEW)
def cast(request: HttpRequest) -> HttpResponse:
    """Keep a vote; then name both sides, and show the next pair."""
    first, second = both(request)
    one = whole_number(request.POST.get("one", ""), max_digits=18)
    other = whole_number(request.POST.get("other", ""), max_digits=18)
    if one is None or other is None:
        raise InvalidInput("This vote names no answers. Load the page again.")
    try:
        _, shown = votes.cast(
            one, other, choice=request.POST.get("choice", ""), voter=reader(request)
        )
    except Conflict as error:
        if not is_htmx(request):
            raise
        # From another tab, or in a poll: this page goes on with the next pair all the same.
        response = render(request, "dashboard/votes/_pair.html", _pair(request, first, second))
        response["HX-Trigger"] = json.dumps({"problem": {"sentence": str(error)}})
        return response
    context = _pair(request, first, second) | {"voted": shown}
    return render(request, "dashboard/votes/_pair.html", context)


def _pair(request: HttpRequest, first: SuiteRun, second: SuiteRun) -> dict[str, object]:
    voter = reader(request)
    return {
        "first": first,
        "second": second,
        "pair": votes.next_pair(first, second, voter=voter),
        "n_left": votes.n_left(first, second, voter=voter),
        "mine": votes.tally(first, second, voter=voter),
    }
