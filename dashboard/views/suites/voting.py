"""Blind votes on pairs of answers, one after the other, on the keyboard if one likes."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from dashboard.models import SuiteRun
from dashboard.services.access import Permission
from dashboard.services.suites import votes
from dashboard.views.doors import reader, requires, whole_number
from dashboard.views.suites.runs import both
from trainerbot.errors import InvalidInput


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
    _, shown = votes.cast(one, other, choice=request.POST.get("choice", ""), voter=reader(request))
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
