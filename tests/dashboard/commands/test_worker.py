"""`worker`, as a process of its own."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils.timezone import now

from dashboard.models import ProcessState, Task
from dashboard.services import jobs, processes, tasks
from tests.dashboard.commands.running import environ, refusal
from tests.factories import FineTuneJobFactory
from tests.fakes.openai_endpoint import API_KEY

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def start(database_for_processes, tmp_path) -> Iterator[object]:
    """Start a worker on the rows of this test; none outlives it."""
    started: list[subprocess.Popen[str]] = []

    def start(**more: str) -> "subprocess.Popen[str]":
        env = environ(DATABASE_URL=database_for_processes, TRAINERBOT_DATA=str(tmp_path), **more)
        started.append(
            subprocess.Popen(
                [sys.executable, "manage.py", "worker"],
                cwd=settings.BASE_DIR,
                env=env,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for worker in started:
        if worker.poll() is None:
            worker.kill()
        worker.communicate()


@pytest.fixture
def silent_endpoint() -> Iterator[str]:
    """It takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"


def wait_for(what, *, within_s: float = 60.0) -> None:
    until = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.05)


def stop(worker: "subprocess.Popen[str]") -> float:
    """Send SIGTERM; how many seconds the end took."""
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=180)
    return time.monotonic() - began


def test_it_says_that_it_runs_and_that_it_stopped_and_ends_in_time(start):
    worker = start()
    wait_for(lambda: processes.is_alive("worker"))
    assert stop(worker) < 30.0
    assert worker.returncode == 0
    assert ProcessState.objects.get(name="worker").state == "stopped"


def test_a_step_that_takes_its_time_does_not_hold_up_the_end_and_is_given_back(
    start, silent_endpoint
):
    name = silent_endpoint.removeprefix("http://")
    task = tasks.submit(jobs.KIND, args={"job": FineTuneJobFactory(endpoint=name).pk})
    worker = start(OPENAI_BASE_URL=silent_endpoint, OPENAI_API_KEY=API_KEY)
    wait_for(lambda: Task.objects.filter(pk=task.pk, state=Task.State.RUNNING).exists())

    assert stop(worker) < 30.0

    assert worker.returncode == 0
    task.refresh_from_db()
    assert (task.state, task.worker) == (Task.State.READY, "")
    assert task.run_at <= now()


def test_a_worker_without_threads_is_refused():
    assert "1 to 64 threads" in refusal("worker", "--threads", "0")
