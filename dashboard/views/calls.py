"""Calls of the bot: which there are, and one of them as it happens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dashboard.models import DiscordUser, Message, Utterance, VoiceCall
from dashboard.services import paging
from dashboard.services.access import Permission
from dashboard.services.paging import Page
from dashboard.views.doors import reader, requires
from dashboard.views.transcripts import Shown, present
from trainerbot.errors import NotFound

CALLS_A_PAGE = 25
UTTERANCES_A_PAGE = 30
NEWCOMER = "Somebody new"
# Of the figures, what the page shows in another way than as a number with its name.
TOLD_ELSEWHERE = frozenset({"speaking", "people", "is_end_to_end", "latency_ms"})


@dataclass(frozen=True, slots=True)
class Present:
    """One person in a call now."""

    name: str
    is_speaking: bool


@dataclass(frozen=True, slots=True)
class Saying:
    """What somebody is saying to the bot at this moment, as far as it was made out."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said, with the answer to it if there is one.

    awaits: id of the conversation in which an answer is still to come, or None.
    """

    utterance: Utterance
    answer: Shown | None
    awaits: int | None


@require_GET
@requires(Permission.VIEW)
def list_(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/calls/list.html", _rows(request))


@require_GET
@requires(Permission.VIEW)
def rows(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/calls/_rows.html", _rows(request))


@require_GET
@requires(Permission.VIEW)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    call = _get(pk)
    context = _state(call) | _words(call) | _said(request, call)
    return render(request, "dashboard/calls/detail.html", context)


@require_GET
@requires(Permission.VIEW)
def state(request: HttpRequest, pk: int) -> HttpResponse:
    """How the call goes and who speaks, anew."""
    return render(request, "dashboard/calls/_state.html", _state(_get(pk)))


@require_GET
@requires(Permission.VIEW)
def words(request: HttpRequest, pk: int) -> HttpResponse:
    """What people are saying to the bot at this moment, anew."""
    return render(request, "dashboard/calls/_words.html", _words(_get(pk)))


@require_GET
@requires(Permission.VIEW)
def said(request: HttpRequest, pk: int) -> HttpResponse:
    """What was said, anew."""
    return render(request, "dashboard/calls/_said.html", _said(request, _get(pk)))


def _get(pk: int) -> VoiceCall:
    call = (
        VoiceCall.objects.select_related("guild", "channel", "text_channel").filter(pk=pk).first()
    )
    if call is None:
        raise NotFound("There is no such call.")
    return call


def _rows(request: HttpRequest) -> dict[str, Any]:
    page = paging.page(
        VoiceCall.objects.select_related("guild", "channel"),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        size=CALLS_A_PAGE,
    )
    # Counted for the rows of this page alone: a join would count all before it cuts.
    counted = Utterance.objects.filter(call__in=page.rows).values_list("call")
    n_said = dict(counted.annotate(n=Count("pk")))
    return {"page": page, "rows": [(call, n_said.get(call.pk, 0)) for call in page.rows]}


def _state(call: VoiceCall) -> dict[str, Any]:
    figures = call.figures if call.ended_at is None else {**call.figures, "speaking": []}
    return {
        "call": call,
        "people": _people(figures) if call.ended_at is None else [],
        "is_end_to_end": figures.get("is_end_to_end"),
        "latency_ms": figures.get("latency_ms"),
        "figures": [
            (name, value)
            for name, value in figures.items()
            if name not in TOLD_ELSEWHERE and isinstance(value, int | float | str)
        ],
    }


def _people(figures: dict[str, Any]) -> list[Present]:
    """Those in the call, by name; who is not known to the rows yet is a newcomer."""
    speaking = _ids(figures.get("speaking"))
    ids = [*speaking, *(each for each in _ids(figures.get("people")) if each not in speaking)]
    rows = DiscordUser.objects.filter(discord_user_id__in=ids)
    names = dict(rows.values_list("discord_user_id", "name"))
    people = [Present(names.get(each, NEWCOMER), each in speaking) for each in ids]
    return sorted(people, key=lambda each: each.name.lower())


def _words(call: VoiceCall) -> dict[str, Any]:
    saying = {int(who): text for who, text in call.words.items()} if call.ended_at is None else {}
    rows = DiscordUser.objects.filter(discord_user_id__in=saying)
    names = dict(rows.values_list("discord_user_id", "name")) if saying else {}
    return {
        "call": call,
        "saying": [Saying(names.get(who) or NEWCOMER, text) for who, text in saying.items()],
    }


def _ids(value: object) -> list[int]:
    """Discord's ids as the bot reported them; too long for JavaScript, so it sends words."""
    return [int(each) for each in value if str(each).isdecimal()] if isinstance(value, list) else []


def _said(request: HttpRequest, call: VoiceCall) -> dict[str, Any]:
    utterances = Utterance.objects.filter(call=call).select_related("discord_user", "message")
    page: Page[Utterance] = paging.page(
        utterances,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        size=UTTERANCES_A_PAGE,
    )
    shown = _answers(request, [row.message_id for row in page.rows if row.message_id])
    return {
        "call": call,
        "page": page,
        "said": [_one(call, row, shown.get(row.message_id or 0)) for row in page.rows],
    }


def _one(call: VoiceCall, row: Utterance, answer: Shown | None) -> Said:
    is_open = call.ended_at is None and answer is None and row.message is not None
    return Said(row, answer, row.message.conversation_id if is_open and row.message else None)


def _answers(request: HttpRequest, questions: Sequence[int]) -> dict[int, Shown]:
    """The newest answer to each question, made ready to be shown."""
    found = Message.objects.filter(reply_to__in=questions, role=Message.Role.ASSISTANT)
    found = found.select_related("reply_to__utterance", "correction", "conversation")
    newest = {message.reply_to_id or 0: message for message in found.order_by("pk")}
    shown = present(list(newest.values()), reader(request))
    return dict(zip(newest, shown, strict=True))
