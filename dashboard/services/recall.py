"""The approved corrections as one index, kept by each process and renewed when they change."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial

from django.db import DatabaseError, connections
from django.db.models import Count, Max

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
    """What tells whether anything changed: how many, how new, and the last event about them."""

    n_approved: int
    newest: datetime | None
    last_event: Event | None


AT_ONCE = 4  # questions that wait for their vectors
SPENT_EVERY = 50  # questions, after which their tokens are written down

log = logging.getLogger(__name__)
_lock = threading.Lock()
_asking = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="meaning")
_n_asked = 0
_stamp = _Stamp(0, None, None)
_index = Recall(())


@cache
def warm() -> None:
    """Import what the index needs (a second or two), so that no question waits for it."""
    Recall([Memory(0, "warm", "")], meanings.space()).recall("warmer")


def current() -> Recall:
    """What every turn recalls from: exactly the corrections approved when this is called.

    Two small queries tell whether anything changed, in whichever process. A
    few changes are followed in milliseconds, however many corrections there are.
    """
    global _stamp, _index
    stamp = _now()
    with _lock:
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
    global _n_asked
    assert index.space is not None  # as the caller saw
    try:
        index.space.find(question)
    except meanings.WrongDimensions as error:
        _write(partial(meanings.outgrown, error))
    except (ProviderUnavailable, ProviderRefused) as error:
        log.info("A question is compared by its words: %s", error)
    _n_asked += 1
    if _n_asked % SPENT_EVERY == 0:
        _write(meanings.count_spent)


def _write(rows: Callable[[], None]) -> None:
    """Write rows from a thread that has no other use for a connection; at another time, if not now."""
    try:
        rows()
    except DatabaseError as error:
        log.warning("What was learned of the embedding model is written down later: %s", error)
    finally:
        connections.close_all()


def _now() -> _Stamp:
    figures = Correction.objects.approved().aggregate(count=Count("pk"), newest=Max("updated_at"))
    # Clocks step back, and of two transactions the one that began first may
    # commit last; the ids of the outbox only rise.
    events = OutboxEvent.objects.filter(topic__in=TOPICS).order_by("-pk")
    return _Stamp(
        figures["count"], figures["newest"], events.values_list("pk", "created_at").first()
    )


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
