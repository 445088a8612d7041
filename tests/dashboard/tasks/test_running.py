import pytest
from django.utils.timezone import now

from dashboard.models import Task
from dashboard.services import tasks
from dashboard.services.tasks import Later, Run
from tests.factories import TaskFactory
from trainerbot.errors import InvalidInput, ProviderUnavailable

pytestmark = pytest.mark.django_db


@tasks.handler("tests.add")
def add(run: Run) -> int:
    return run.args["a"] + run.args["b"]


@tasks.handler("tests.count_to_three")
def count_to_three(run: Run) -> Later | str:
    n = run.checkpoint.get("n", 0) + 1
    run.save(step=f"step {n}", progress=n / 3, n=n)
    return Later(0.0) if n < 3 else "counted"


@tasks.handler("tests.unavailable")
def unavailable(run: Run) -> None:
    raise ProviderUnavailable("Nobody is at home.")


@tasks.handler("tests.refused")
def refused(run: Run) -> None:
    raise InvalidInput("That is no number.")


@tasks.handler("tests.breaks")
def breaks(run: Run) -> None:
    raise ZeroDivisionError("secret detail")


@tasks.handler("tests.steps_on")
def steps_on(run: Run) -> str:
    run.save(step="one")
    Task.objects.filter(pk=run.task.pk).update(**run.args["meanwhile"])
    run.save(step="two")
    return "never"


def ran(kind: str, **fields: object) -> Task:
    task = TaskFactory(kind=kind, **fields)
    assert tasks.run_next("me", pk=task.pk)
    task.refresh_from_db()
    return task


def test_the_result_is_kept():
    task = ran("tests.add", args={"a": 2, "b": 3})
    assert (task.state, task.result, task.progress) == (Task.State.SUCCEEDED, 5, 1.0)


def test_a_task_that_waits_goes_on_from_its_checkpoint():
    task = ran("tests.count_to_three")
    assert (task.state, task.step) == (Task.State.READY, "step 1")
    assert tasks.run_next("me")
    assert tasks.run_next("another")
    task.refresh_from_db()
    assert (task.state, task.result) == (Task.State.SUCCEEDED, "counted")


def test_what_may_succeed_later_is_tried_again_later():
    task = ran("tests.unavailable")
    assert (task.state, task.attempts) == (Task.State.READY, 1)
    assert task.run_at > now()
    assert task.error == "Nobody is at home."


def test_the_last_try_is_the_last():
    task = ran("tests.unavailable", attempts=4, max_attempts=5)
    assert (task.state, task.attempts) == (Task.State.FAILED, 5)


def test_a_refusal_is_not_tried_again():
    task = ran("tests.refused")
    assert (task.state, task.error) == (Task.State.FAILED, "That is no number.")


def test_a_fault_of_ours_is_logged_but_not_shown(caplog):
    task = ran("tests.breaks")
    assert task.state == Task.State.FAILED
    assert "secret" not in task.error
    assert "ZeroDivisionError" in caplog.text


def test_a_task_of_no_known_kind_fails_in_words():
    task = ran("tests.unheard_of")
    assert task.state == Task.State.FAILED
    assert "tests.unheard_of" in task.error


def test_a_running_task_stops_at_its_next_step_when_asked():
    task = ran("tests.steps_on", args={"meanwhile": {"cancel_requested": True}})
    assert (task.state, task.step) == (Task.State.CANCELLED, "two")


def test_whoever_lost_the_lease_stops_at_the_next_step():
    task = ran("tests.steps_on", args={"meanwhile": {"worker": "another"}})
    assert (task.state, task.worker, task.step) == (Task.State.RUNNING, "another", "one")


def test_a_command_runs_a_task_to_its_end_in_its_own_process(transactional_db):
    task = TaskFactory(kind="tests.count_to_three")
    assert tasks.run_until_finished(task).result == "counted"
