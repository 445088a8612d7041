"""The bot's own page: how it is, what went wrong, and what an admin may ask of it."""

import json
from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.bot import SayForm
from dashboard.models import VoiceCall
from dashboard.services import bot, incidents
from dashboard.services.access import Permission
from dashboard.services.bot import errands
from dashboard.services.bot.orders import Order
from dashboard.views.doors import is_htmx, requires
from trainerbot.errors import InvalidInput

PORTAL_URL = "https://discord.com/developers/applications"
MOST_CALLS = 5
# The colour of each word, and of the dot beside it.
COLORS = {
    "online": "success",
    "starting": "warning",
    "restarting": "warning",
    "stopping": "warning",
    "silent": "warning",
    "failed": "error",
    "no token": "neutral",
    "stopped": "neutral",
}


@require_GET
@requires(Permission.VIEW)
def page(request: HttpRequest) -> HttpResponse:
    context = _state() | _incidents() | _said()
    context["form"] = SayForm(auto_id="say-%s")
    return render(request, "dashboard/bot/page.html", context)


@require_GET
@requires(Permission.VIEW)
def state(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/bot/_state.html", _state())


@require_GET
@requires(Permission.VIEW)
def incident_list(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/bot/_incidents.html", _incidents())


@require_GET
@requires(Permission.VIEW)
def incident(request: HttpRequest, pk: int) -> HttpResponse:
    """What is kept of one fault, for the dialog."""
    return render(request, "dashboard/bot/_incident.html", {"incident": incidents.find(pk)})


@require_POST
@requires(Permission.SETTINGS)
def order(request: HttpRequest) -> HttpResponse:
    """Start, stop or restart; the page learns by itself how it went."""
    try:
        what = Order(request.POST.get("order", ""))
    except ValueError:
        raise InvalidInput("The bot can be started, stopped and restarted.") from None
    bot.order(what, actor=cast(User, request.user))
    if is_htmx(request):
        return render(request, "dashboard/bot/_state.html", _state())
    return redirect("bot")


@require_http_methods(["POST"])
@requires(Permission.SETTINGS)
def say(request: HttpRequest) -> HttpResponse:
    """Queue a test message; its fate is shown beneath the box."""
    form = SayForm(request.POST, auto_id="say-%s")
    if form.is_valid():
        queued = form.attempt(
            lambda: bot.say(
                channel_id=form.cleaned_data["channel"],
                text=form.cleaned_data["text"],
                actor=cast(User, request.user),
            )
        )
        if queued and not is_htmx(request):
            return redirect("bot")
    context = _said() | {"form": form}
    status = 200 if form.is_valid() else 422
    if is_htmx(request):
        return render(request, "dashboard/bot/_say.html", context, status=status)
    context |= _state() | _incidents()
    return render(request, "dashboard/bot/page.html", context, status=status)


@require_GET
@requires(Permission.VIEW)
def said(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/bot/_said.html", _said())


def _state() -> dict[str, object]:
    condition = bot.condition()
    running = VoiceCall.objects.filter(ended_at=None).select_related("guild", "channel")
    return {
        "condition": condition,
        "calls": running.order_by("-pk")[:MOST_CALLS],
        "n_calls_more": max(0, running.count() - MOST_CALLS),
        "color": COLORS[condition.word],
        "portal_url": PORTAL_URL,
        "chart": _lag_chart(condition.lag_minutes_ms),
    }


def _lag_chart(minutes_ms: list[float]) -> str:
    """The worst of each minute, oldest first, as the chart wants it; "" for too few."""
    if len(minutes_ms) < 3:
        return ""
    first = 1 - len(minutes_ms)
    return json.dumps(
        {
            "x": list(range(first, 1)),
            "xlabel": "Minute",
            "series": [{"label": "Longest wait", "values": minutes_ms, "unit": "ms"}],
        }
    )


def _incidents() -> dict[str, object]:
    return {"incidents": incidents.latest(bot.NAME)}


def _said() -> dict[str, object]:
    tasks = errands.latest(errands.SAY)
    return {"said": tasks, "is_waiting": any(not task.is_finished for task in tasks)}
