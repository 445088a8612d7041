"""Events for open pages and other processes, written together with the change they tell of."""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils.timezone import now

from dashboard.models import OutboxEvent
from dashboard.services.inserting import Insert
from dashboard.services.statements import Statement

CHANNEL = "trainerbot_outbox"  # of PostgreSQL's LISTEN/NOTIFY
KEPT_FOR = timedelta(days=2)
REPLAY_LIMIT = 500
_insert = Insert(OutboxEvent)
_insert_plainly = Statement("""
    INSERT INTO dashboard_outboxevent (topic, kind, payload, created_at)
    VALUES (%s, %s, %s, %s)
""")


def publish(topic: str, kind: str, /, **payload: Any) -> None:
    """Tell whoever follows `topic`, if and when the surrounding transaction commits.

    Ids become visible in their order, so that a reader who has seen id 8 need not
    look for a 7: SQLite has one writer at a time; on PostgreSQL an event gets its
    id for good while its transaction commits (migration 0022), and CHANNEL rings.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "sqlite":
        # One statement is whole by itself; to make a row of Django's for it takes longer.
        moment = database.ops.adapt_datetimefield_value(now())
        _insert_plainly.n_changed(topic, kind, json.dumps(payload), moment)
    else:
        _insert(OutboxEvent(topic=topic, kind=kind, payload=payload))


def latest_id() -> int:
    """The id to start from for whoever has seen everything until now; 0 when there is nothing."""
    return OutboxEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0


def after(event_id: int, topics: Sequence[str] | None = None) -> Iterator[OutboxEvent]:
    """The first REPLAY_LIMIT events younger than `event_id`, oldest first.

    Of every topic unless some are named. Whoever gets as many asks again.
    """
    events = OutboxEvent.objects.filter(id__gt=event_id)
    if topics is not None:
        events = events.filter(topic__in=topics)
    return events.order_by("id")[:REPLAY_LIMIT].iterator()


def has_news(event_id: int, topics: Sequence[str]) -> bool:
    """Whether `after` would yield anything, at a tenth of what it costs."""
    return bool(_news_of(len(topics)).rows(*topics, event_id))


@cache
def _news_of(n_topics: int) -> Statement:
    named = ", ".join(["%s"] * n_topics)
    return Statement(
        f"SELECT 1 FROM dashboard_outboxevent WHERE topic IN ({named}) AND id > %s LIMIT 1"
    )


def prune() -> int:
    """Forget events older than two days, which no open page still waits for."""
    deleted, _ = OutboxEvent.objects.filter(created_at__lt=now() - KEPT_FOR).delete()
    return deleted
