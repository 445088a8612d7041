from datetime import timedelta

import pytest
from django.utils.timezone import now

from dashboard.models import OutboxEvent, ProcessState
from dashboard.services import processes

pytestmark = pytest.mark.django_db


def test_a_report_keeps_what_it_does_not_mention():
    processes.report("bot", state="running", pid=7, detail={"latency_ms": 38})
    processes.report("bot", restarts=2)
    bot = ProcessState.objects.get(name="bot")
    assert (bot.pid, bot.restarts, bot.detail) == (7, 2, {"latency_ms": 38})


def test_pages_hear_of_a_change_but_not_of_each_heartbeat():
    processes.report("bot", state="running")
    processes.report("bot", state="running")
    assert OutboxEvent.objects.filter(topic="system").count() == 1


def test_a_process_that_fell_silent_is_not_alive():
    processes.report("worker", state="running")
    assert processes.is_alive("worker")
    ProcessState.objects.update(heartbeat_at=now() - timedelta(minutes=1))
    assert not processes.is_alive("worker")
    assert not processes.is_alive("never heard of")


def test_only_one_holds_a_part():
    assert processes.hold("bot", "first")
    assert not processes.hold("bot", "second")
    assert processes.hold("bot", "first")
    processes.release("bot", "first")
    assert processes.hold("bot", "second")


def test_a_dead_holder_is_followed_by_the_next():
    processes.hold("bot", "first")
    ProcessState.objects.update(heartbeat_at=now() - timedelta(minutes=1))
    assert processes.hold("bot", "second")
