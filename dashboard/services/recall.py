"""The approved corrections as one index, kept by each process and renewed when they change."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any

from django.db import DatabaseError, connection, connections
from django.db.models import Q, QuerySet, Subquery

from dashboard.models import Correction, DiscordChannel, OutboxEvent
from dashboard.services import corrections, meanings
from trainerbot.conversation import Memory, Place, Recall
from trainerbot.errors import ProviderRefused, ProviderUnavailable

TOPICS = (corrections.TOPIC, meanings.TOPIC)
MOST_EVENTS = 100  # followed one by one; after more, all is read anew

Event = tuple[
    int, datetime
]  # its id, and when it was: an id may come again after a restored backup


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What tells whether anything changed: how many, how new, and the last event about them.

    told: the last two as the database told them, None where there was no event.
    """

    n_approved: int
    newest: datetime | None
    last_event: Event | None
    told: tuple[Any, ...] | None = field(default=None, compare=False)


FEW = 2_000  # corrections that are counted for each question; to count 100,000 takes 5 ms
COUNTED_EVERY_S = 60.0
AT_ONCE = 4  # questions that wait for their vectors
SPENT_EVERY = 500  # questions, after which their tokens are written down
SPENT_EVERY_S = 60.0  # or after so long

log = logging.getLogger(__name__)
_lock = threading.Lock()
_asking = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="meaning")
_n_asked, _next_spent = 0, 0.0
_stamp = _Stamp(0, None, None)
_next_count = 0.0
_index = Recall(())


@cache
def warm() -> None:
    """Import what the index needs (a second or two), so that no question waits for it."""
    Recall([Memory(0, "warm", "")], meanings.space()).recall("warmer")


def current() -> Recall:
    """What every turn recalls from: exactly the corrections approved when this is called.

    One or two small queries tell whether anything changed, in whichever
    process. A few changes are followed in milliseconds, however many
    corrections there are.
    """
    global _stamp, _index
    with _lock:
        # Looked at in here: another thread's older news would have all read anew.
        stamp = _now()
        if stamp != _stamp:
            _index = _followed(_stamp, n_approved=stamp.n_approved) or Recall(
                _memories(), meanings.space()
            )
            _stamp = stamp
        return _index


async def foresee(question: str, *, patience_s: float = meanings.PATIENCE_S) -> None:
    """Ask what a question means before it is recalled, where that takes a model.

    A turn recalls in the one thread where all of a process's rows are read and
    written, and asks nobody there. Never fails, and takes no longer than
    patience_s, however many wait for the model: words have to do where it does
    not answer. Costs nothing by words alone, or where this very question was
    corrected.
    """
    index = _index
    if index.space is None or not question.strip() or not len(index) or index.has(question):
        return
    if not index.space.knows(question):
        asked = asyncio.get_running_loop().run_in_executor(_asking, _ask, index, question)
        try:
            async with asyncio.timeout(patience_s):
                await asked
        except TimeoutError:
            log.info("A question is compared by its words: the model took too long.")


def _ask(index: Recall, question: str) -> None:
    global _n_asked, _next_spent
    assert index.space is not None  # as the caller saw
    try:
        index.space.find(question)
    except meanings.WrongDimensions as error:
        _write(partial(meanings.outgrown, error))
    except (ProviderUnavailable, ProviderRefused) as error:
        log.info("A question is compared by its words: %s", error)
    _n_asked += 1
    at = time.monotonic()
    if _n_asked % SPENT_EVERY == 0 or at >= _next_spent:
        _next_spent = at + SPENT_EVERY_S
        _asking.submit(_write, meanings.count_spent)  # nobody waits for that


def _write(rows: Callable[[], None]) -> None:
    """Write rows from a thread that has no other use for a connection; at another time, if not now."""
    try:
        rows()
    except DatabaseError as error:
        log.warning("What was learned of the embedding model is written down later: %s", error)
    finally:
        connections.close_all()


def _now() -> _Stamp:
    global _next_count
    before, at, approved = _stamp, time.monotonic(), Correction.objects.approved()
    with connection.cursor() as cursor:
        cursor.execute(*_latest_sql())
        told = cursor.fetchone()
    # Whoever changes one tells of it; what somebody deletes by hand shows in their number alone.
    if told is not None and told == before.told and before.n_approved > FEW and at < _next_count:
        return before
    n_approved, _next_count = approved.count(), at + COUNTED_EVERY_S
    if told is not None and (told, n_approved) == (before.told, before.n_approved):
        return before
    found = _latest().first()
    if found is not None:
        return _Stamp(n_approved, found[2], found[:2], told)
    newest = approved.order_by("-updated_at").values_list("updated_at", flat=True).first()
    return _Stamp(n_approved, newest, None)


def _latest() -> QuerySet[OutboxEvent, tuple[int, datetime, datetime | None]]:
    """The last event, when it was, and how new the newest correction is."""
    newest = Correction.objects.approved().order_by("-updated_at").values("updated_at")[:1]
    # Clocks step back, and of two transactions the one that began first may
    # commit last; the ids of the outbox only rise.
    last = Q()
    for topic in TOPICS:
        of_topic = OutboxEvent.objects.filter(topic=topic).order_by("-pk")
        last |= Q(pk=Subquery(of_topic.values("pk")[:1]))
    found = OutboxEvent.objects.filter(last).order_by("-pk")
    return found.values_list("pk", "created_at", Subquery(newest))


@cache
def _latest_sql() -> tuple[str, tuple[Any, ...]]:
    # To put it together takes ten times as long as the database takes to answer.
    return _latest()[:1].query.sql_with_params()


def _followed(since: _Stamp, *, n_approved: int) -> Recall | None:
    """The index with what the events after `since` tell; None if that is not enough.

    It is not when some were forgotten meanwhile, are too many to follow, or
    do not account for how many corrections are in force.
    """
    if since.last_event is None:
        return None
    events = OutboxEvent.objects.filter(topic__in=TOPICS, pk__gte=since.last_event[0])
    found = list(events.order_by("pk")[: MOST_EVENTS + 1])
    if not 1 < len(found) <= MOST_EVENTS or (found[0].pk, found[0].created_at) != since.last_event:
        return None
    if any(event.kind == "meanings.changed" for event in found[1:]):
        return None
    ids = {pk for event in found[1:] for pk in event.payload.get("ids", [event.payload.get("id")])}
    in_force = {memory.id: memory for memory in _memories(pk__in=ids)}
    index = _index.changed({pk: in_force.get(pk) for pk in ids})
    return index if index.n_corrections == n_approved else None


def _memories(**which: object) -> Iterator[Memory]:
    rows = Correction.objects.approved().filter(**which).order_by("pk")
    fields = ("pk", "question", "better_answer", "guild_id", "channel_id")
    space = meanings.space()
    if space is None:
        for row in rows.values_list(*fields).iterator():
            yield Memory(*row)
        return
    for pk, question, answer, guild_id, channel_id, vector, model in rows.values_list(
        *fields, "vector", "vector_model"
    ).iterator():
        known = bytes(vector) if vector and model == space.name else None
        yield Memory(pk, question, answer, guild_id, channel_id, known)


def place(channel: DiscordChannel | None) -> Place:
    """Where a question is asked, as recall sees it."""
    if channel is None:
        return Place()
    ids = (channel.pk,) if channel.parent_id is None else (channel.pk, channel.parent_id)
    return Place(channel.guild_id, ids)
