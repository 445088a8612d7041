"""Conversations as a list: filtered, searched, one page at a time by last message."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Max, Q, QuerySet

from dashboard.models import Conversation, Message, Source
from dashboard.services import conversations, storage
from trainerbot.errors import InvalidInput

PAGE = 25
SEARCHED_MESSAGES = 50_000
MAX_WORDS = 8
MAX_SEARCH_CHARACTERS = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of conversations, newest talk first.

    after, before: tokens of the next and the previous page, "" where there is none.
    searched_all: False when the search stopped at the newest SEARCHED_MESSAGES messages.
    """

    rows: list[Conversation]
    after: str
    before: str
    searched_all: bool


def find(
    *, user: User, source: str = "", words: str = "", after: str = "", before: str = ""
) -> Found:
    """Those conversations of `source` in which one message holds all of `words`.

    Only what `user` may see. Raises InvalidInput for a damaged page token or
    an over-long search.
    """
    rows = conversations.visible_to(user)
    if source in Source.values:
        rows = rows.filter(source=source)
    searched_all = True
    if words.strip():
        rows, searched_all = _holding(rows, words)
    backwards = bool(before) and not after
    token = after or before
    if token:
        moment, pk = _read(token)
        side = "gt" if backwards else "lt"
        rows = rows.filter(
            Q(**{f"last_message_at__{side}": moment})
            | Q(last_message_at=moment, **{f"pk__{side}": pk})
        )
    order = ("last_message_at", "pk") if backwards else ("-last_message_at", "-pk")
    found = list(rows.order_by(*order)[: PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    if backwards:
        found.reverse()
    has_next = bool(found) and (more or backwards)
    has_previous = bool(found) and (more if backwards else bool(token))
    return Found(
        rows=found,
        after=_token(found[-1]) if has_next else "",
        before=_token(found[0]) if has_previous else "",
        searched_all=searched_all,
    )


def _holding(rows: QuerySet[Conversation], words: str) -> tuple[QuerySet[Conversation], bool]:
    if len(words) > MAX_SEARCH_CHARACTERS:
        raise InvalidInput(f"Search for at most {MAX_SEARCH_CHARACTERS} characters.")
    storage.check_text(words, what="The search")
    newest = Message.objects.aggregate(newest=Max("pk"))["newest"] or 0
    first = newest - SEARCHED_MESSAGES
    # Words are looked for inside words, by reading: the cap keeps that to a
    # fraction of a second however long the log grows.
    messages = Message.objects.filter(pk__gt=first)
    for word in words.split()[:MAX_WORDS]:
        messages = messages.filter(content__icontains=word)
    return rows.filter(pk__in=messages.values("conversation_id")), first <= 0


def _token(row: Conversation) -> str:
    microseconds = (row.last_message_at - EPOCH) // timedelta(microseconds=1)
    return f"{microseconds}-{row.pk}"


def _read(token: str) -> tuple[datetime, int]:
    try:
        microseconds, pk = token.split("-")
        return EPOCH + timedelta(microseconds=int(microseconds)), int(pk)
    except (ValueError, OverflowError) as error:
        raise InvalidInput("This page address is damaged. Start again from the list.") from error
