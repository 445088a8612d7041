"""Every worker killed three times during 300 tasks: nothing lost, nothing finished twice."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils.timezone import now

from dashboard.models import OutboxEvent, Task
from dashboard.services.tasks import queue

N_TASKS = 300
N_WORKERS = 2
LEASE_S = 2.0
PATIENCE_S = 600.0
SCRIPT = Path(__file__).with_name("killed_worker.py")


def start_worker(database_url: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(LEASE_S)],
        env={**os.environ, "DATABASE_URL": database_url, "PYTHONPATH": str(settings.BASE_DIR)},
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
    )


def succeeded() -> int:
    return Task.objects.filter(state=Task.State.SUCCEEDED).count()


def wait_for(n_succeeded: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while succeeded() < n_succeeded:
        assert time.monotonic() < until, f"only {succeeded()} of {n_succeeded} came to an end"
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
def test_killing_every_worker_three_times_loses_and_doubles_nothing(database_for_processes):
    Task.objects.bulk_create(
        [Task(kind="tests.brief", args={"n": n}, run_at=now()) for n in range(N_TASKS)]
    )
    workers = [start_worker(database_for_processes) for _ in range(N_WORKERS)]
    try:
        for share in (0.2, 0.45, 0.7):
            wait_for(round(N_TASKS * share))
            for worker in workers:
                worker.kill()
                worker.communicate()
            workers = [start_worker(database_for_processes) for _ in range(N_WORKERS)]
        wait_for(N_TASKS)
    finally:
        for worker in workers:
            worker.communicate(timeout=120)

    finished = OutboxEvent.objects.filter(kind="task.finished").values_list("payload", flat=True)
    assert len(finished) == N_TASKS
    assert len({event["id"] for event in finished}) == N_TASKS
    assert sorted(Task.objects.values_list("result", flat=True)) == list(range(N_TASKS))
    assert queue.claim("late comer") is None
    assert connection.is_usable()
