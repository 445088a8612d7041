"""The first page: what happens now, and what to do next."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from dashboard.models import Conversation, Correction, DatasetVersion, FineTuneJob
from dashboard.services import access, budgets, overview, processes
from dashboard.services.access import Permission
from dashboard.templatetags.system import state_context
from dashboard.views.doors import requires
from dashboard.views.jobs.lists import with_progress

RECENT = 5

# What the chart can show: its name in the address, and hours.
SPANS = {"24h": ("24 h", 24), "7d": ("7 d", 7 * 24), "30d": ("30 d", 30 * 24)}


@require_GET
@requires(Permission.CHAT)
def home(request: HttpRequest) -> HttpResponse:
    """Where somebody who has signed in belongs: those who may not see it all go and talk."""
    if access.can(request.user, Permission.VIEW):
        return redirect("overview")
    return redirect("playground")


@require_GET
@requires(Permission.VIEW)
def page(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "dashboard/overview/page.html",
        _steps() | _tiles() | _chart("24h") | _activity() | _jobs() | _parts(),
    )


@require_GET
@requires(Permission.VIEW)
def tiles(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/overview/_tiles.html", _tiles())


@require_GET
@requires(Permission.VIEW)
def steps(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/overview/_steps.html", _steps())


@require_GET
@requires(Permission.VIEW)
def chart(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/overview/_chart.html", _chart(request.GET.get("span", "24h")))


@require_GET
@requires(Permission.VIEW)
def activity(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/overview/_activity.html", _activity())


@require_GET
@requires(Permission.VIEW)
def jobs(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/overview/_jobs.html", _jobs())


@require_GET
@requires(Permission.VIEW)
def parts(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/overview/_parts.html", _parts())


@require_GET
@requires(Permission.CHAT)
def state(request: HttpRequest) -> HttpResponse:
    """The badge in the header of every page."""
    return render(request, "dashboard/overview/_state.html", state_context())


def _steps() -> dict[str, object]:
    """The way through the loop, each step ticked off by a row that proves it."""
    done = {
        "asked": Conversation.objects.exists(),
        "corrected": Correction.objects.exists(),
        "dataset": DatasetVersion.objects.exists(),
        "tuned": FineTuneJob.objects.filter(status="succeeded").exists(),
    }
    return {"done": done, "all_done": all(done.values())}


def _tiles() -> dict[str, object]:
    figures = overview.figures()
    before = figures.n_messages_before
    growth = 100 * (figures.n_messages - before) / before if before else None
    return {"figures": figures, "growth": growth, "cost_usd": budgets.cost_of_month()}


def _chart(span: str) -> dict[str, object]:
    span = span if span in SPANS else "24h"
    label, hours = SPANS[span]
    series = overview.series(hours=hours)
    drawn = {
        "time": True,
        "x": series.starts,
        "series": [
            {"label": "Messages", "values": series.n_messages},
            {
                "label": "Median reply",
                "values": [ms if ms is None else round(ms / 1000, 3) for ms in series.median_ms],
                "unit": "s",
                "side": "right",
                "sparse": True,
            },
        ],
    }
    return {
        "spans": [(name, label) for name, (label, _) in SPANS.items()],
        "span": span,
        "span_label": label,
        "chart": json.dumps(drawn) if any(series.n_messages) else "",
    }


def _activity() -> dict[str, object]:
    return {"activity": overview.latest_questions(RECENT)}


def _jobs() -> dict[str, object]:
    newest = FineTuneJob.objects.select_related("version__dataset").order_by("-pk")[:RECENT]
    return {"jobs": with_progress(list(newest))}


def _parts() -> dict[str, object]:
    return {"parts": processes.everything()}
