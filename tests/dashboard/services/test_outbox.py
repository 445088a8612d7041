from datetime import timedelta

import pytest
from django.utils.timezone import now

from dashboard.models import OutboxEvent
from dashboard.services import outbox

pytestmark = pytest.mark.django_db


def heard(*args: object) -> list[int]:
    return [event.payload["id"] for event in outbox.after(*args)]


def test_a_reader_hears_what_is_younger_than_what_it_saw():
    outbox.publish("jobs", "job.changed", id=1)
    seen = outbox.latest_id()
    outbox.publish("jobs", "job.changed", id=2)
    outbox.publish("datasets", "dataset.changed", id=3)
    assert heard(seen) == [2, 3]
    assert heard(seen, ["jobs"]) == [2]
    assert heard(seen, []) == []


def test_nothing_was_published_yet():
    assert outbox.latest_id() == 0
    assert heard(0) == []


def test_a_reader_far_behind_catches_up_page_by_page():
    for number in range(outbox.REPLAY_LIMIT + 1):
        outbox.publish("jobs", "job.changed", id=number)
    first = list(outbox.after(0))
    assert len(first) == outbox.REPLAY_LIMIT
    assert heard(first[-1].pk) == [outbox.REPLAY_LIMIT]


def test_an_id_is_never_used_again():
    outbox.publish("jobs", "job.changed", id=1)
    old = outbox.latest_id()
    OutboxEvent.objects.all().delete()
    outbox.publish("jobs", "job.changed", id=2)
    assert outbox.latest_id() > old


def test_events_that_nobody_waits_for_are_forgotten():
    outbox.publish("jobs", "job.changed", id=1)
    OutboxEvent.objects.update(created_at=now() - timedelta(days=3))
    outbox.publish("jobs", "job.changed", id=2)
    assert outbox.prune() == 1
    assert heard(0) == [2]
