"""A database that fails in the middle of a task: tried again, never stuck."""

import time

import pytest
from django.db import OperationalError

from dashboard.models import Task
from dashboard.services import tasks
from tests.factories import TaskFactory

calls: list[int] = []


@tasks.handler("tests.database_away")
def database_away(run: tasks.Run) -> None:
    raise OperationalError("database is locked")


@tasks.handler("tests.cannot_be_written_down_at_first")
def cannot_be_written_down_at_first(run: tasks.Run) -> object:
    calls.append(run.task.pk)
    return "done" if len(calls) > 1 else object()


@pytest.mark.django_db
def test_a_database_that_was_locked_is_no_reason_to_fail_for_good(caplog):
    task = TaskFactory(kind="tests.database_away")
    tasks.run_next("me")
    task.refresh_from_db()
    assert (task.state, task.attempts) == (Task.State.READY, 1)
    assert task.error == "The database did not answer."
    assert "database is locked" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_task_whose_end_could_not_be_written_is_run_again_and_not_held_for_ever():
    calls.clear()
    task = TaskFactory(kind="tests.cannot_be_written_down_at_first")
    worker = tasks.Worker(threads=1)
    worker.start()
    until = time.monotonic() + 60
    while not task.is_finished and time.monotonic() < until:
        time.sleep(0.05)
        task.refresh_from_db()
    worker.stop()
    worker.join(60.0)
    assert (task.state, task.result) == (Task.State.SUCCEEDED, "done")
    assert len(calls) == 2
