"""What was said on every face: listed, searched, read."""

from dataclasses import dataclass

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dashboard.models import Conversation, Message, Source
from dashboard.services import browsing, conversations
from dashboard.services.access import Permission
from dashboard.views.doors import reader, requires
from dashboard.views.transcripts import transcript


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation of the list. The numbers count its messages."""

    conversation: Conversation
    n_questions: int
    n_corrected: int
    n_failed: int


@require_GET
@requires(Permission.CHAT)
def list_(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/conversations/list.html", _rows(request))


@require_GET
@requires(Permission.CHAT)
def rows(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/conversations/_rows.html", _rows(request))


@require_GET
@requires(Permission.CHAT)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "dashboard/conversations/detail.html", _transcript(request, pk))


@require_GET
@requires(Permission.CHAT)
def messages(request: HttpRequest, pk: int) -> HttpResponse:
    """The live part of a conversation's page."""
    return render(request, "dashboard/conversations/_messages.html", _transcript(request, pk))


def _rows(request: HttpRequest) -> dict[str, object]:
    source, words = request.GET.get("source", ""), request.GET.get("q", "")
    found = browsing.find(
        user=reader(request),
        source=source,
        words=words,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    return {
        "page": found,
        "rows": _counted(found.rows),
        "sources": Source,
        "source": source,
        "words": words,
        "n_searched": browsing.SEARCHED_MESSAGES,
    }


def _transcript(request: HttpRequest, pk: int) -> dict[str, object]:
    conversation = conversations.get(pk, user=reader(request))
    own = conversation.user_id == reader(request).pk
    return {
        "conversation": conversation,
        "transcript": transcript(conversation, request),
        "can_go_on": own and conversation.source == Source.PLAYGROUND,
    }


def _counted(found: list[Conversation]) -> list[Row]:
    is_answer = Q(role=Message.Role.ASSISTANT)
    counts = {
        row["conversation"]: row
        for row in Message.objects.filter(conversation__in=found)
        .values("conversation")
        .annotate(
            questions=Count("pk", filter=Q(role=Message.Role.USER)),
            corrected=Count("pk", filter=is_answer & Q(correction__isnull=False)),
            failed=Count("pk", filter=is_answer & ~Q(error="")),
        )
    }
    return [
        Row(
            conversation=conversation,
            n_questions=count["questions"] if count else 0,
            n_corrected=count["corrected"] if count else 0,
            n_failed=count["failed"] if count else 0,
        )
        for conversation in found
        for count in [counts.get(conversation.pk)]
    ]
