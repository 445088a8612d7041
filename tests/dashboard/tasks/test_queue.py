from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from dashboard.models import OutboxEvent, Task
from dashboard.services import tasks
from dashboard.services.tasks import queue
from tests.factories import TaskFactory

pytestmark = pytest.mark.django_db


def test_the_same_key_is_queued_once():
    first = tasks.submit("tests.nothing", args={}, key="once")
    second = tasks.submit("tests.nothing", args={}, key="once")
    assert second == first


def test_tasks_without_a_key_never_meet():
    assert tasks.submit("tests.nothing", args={}) != tasks.submit("tests.nothing", args={})


def test_the_higher_priority_is_claimed_first_and_then_the_older():
    old, new = TaskFactory.create_batch(2)
    urgent = TaskFactory(priority=5)
    assert [tasks.claim("me") for _ in range(3)] == [urgent, old, new]


def test_a_held_task_is_not_claimed_again():
    TaskFactory()
    assert tasks.claim("me") is not None
    assert tasks.claim("you") is None


def test_a_task_that_is_not_due_waits():
    TaskFactory(run_at=now() + timedelta(minutes=1))
    assert tasks.claim("me") is None


def test_a_lease_that_ran_out_is_taken_over():
    task = TaskFactory()
    tasks.claim("dead")
    Task.objects.update(lease_until=now() - timedelta(seconds=1))
    assert tasks.claim("me") == task


def test_a_worker_that_lost_its_lease_changes_nothing():
    task = TaskFactory()
    tasks.claim("dead")
    Task.objects.update(lease_until=now() - timedelta(seconds=1))
    tasks.claim("me")

    assert not queue.finish(task, "dead", state=Task.State.SUCCEEDED)

    task.refresh_from_db()
    assert (task.state, task.worker) == (Task.State.RUNNING, "me")


def test_a_task_that_only_an_id_delivers_is_claimed_by_that_id():
    _first, second = TaskFactory.create_batch(2)
    assert tasks.claim("me", pk=second.pk) == second


def test_a_waiting_task_is_cancelled_at_once_and_says_so_once():
    task = TaskFactory()
    assert tasks.cancel(task)
    assert not tasks.cancel(task)
    task.refresh_from_db()
    assert task.state == Task.State.CANCELLED
    assert OutboxEvent.objects.filter(kind="task.finished").count() == 1


def test_running_without_a_lease_is_refused_by_the_database():
    with pytest.raises(IntegrityError, match="task_running_is_leased"), transaction.atomic():
        TaskFactory(state=Task.State.RUNNING)
