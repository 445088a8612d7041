"""The worker: claims, runs, renews leases, retries what may be retried."""

import logging
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

from django.db import OperationalError, close_old_connections, connection
from django.utils.timezone import now

from dashboard.models import Task
from dashboard.services.tasks import handlers, queue
from dashboard.services.tasks.handlers import Later
from dashboard.services.tasks.leases import LEASE, Cancelled, LeaseLost, Run
from trainerbot.errors import TrainerBotError

log = logging.getLogger(__name__)

IDLE_S = 0.25
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 300.0
State = Task.State


def new_name() -> str:
    """A name that no other worker has, and that tells a person where it runs."""
    return f"{socket.gethostname()[:30]}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


def run_next(worker: str, *, pk: int | None = None) -> bool:
    """Claim one due task (or the task `pk`) and run it. False when there was none."""
    task = queue.claim(worker, pk=pk)
    if task is None:
        return False
    _run(task, worker)
    return True


def run_until_finished(task: Task, *, each_try: Callable[[Task], None] | None = None) -> Task:
    """Run `task` in this very process until it is over, for commands without a running system.

    Another worker may run it just as well; then this one watches. Its lease
    is renewed by a thread, so steps may take longer than the lease.
    """
    worker = new_name()
    stop = threading.Event()
    beat = threading.Thread(target=_renew_leases, args=(worker, stop), daemon=True)
    beat.start()
    try:
        while True:
            if not run_next(worker, pk=task.pk):
                time.sleep(IDLE_S)
            task.refresh_from_db()
            if each_try is not None:
                each_try(task)
            if task.is_finished:
                return task
    finally:
        stop.set()
        beat.join()
        queue.give_back(worker)


def _run(task: Task, worker: str) -> None:
    run = Run(task, worker)
    try:
        # Also a task that is to stop: its handler hears of it at its first step, and tidies up.
        outcome = handlers.find(task.kind)(run)
    except LeaseLost:
        log.warning("Lost the lease of %s; another worker goes on with it", task)
    except Cancelled as reason:
        queue.finish(task, worker, state=State.CANCELLED, error=str(reason))
    except TrainerBotError as error:
        _failed(task, worker, error=str(error), retryable=error.retryable)
    except OperationalError:
        log.exception("The database failed while %s ran", task)
        _failed(task, worker, error="The database did not answer.", retryable=True)
    except Exception:
        log.exception("%s broke", task)
        _failed(task, worker, error="It broke in a way that was not foreseen; see the log.")
    else:
        if isinstance(outcome, Later):
            _wait(task, worker, outcome)
        else:
            queue.finish(task, worker, state=State.SUCCEEDED, result=outcome, progress=1.0)


def _wait(task: Task, worker: str, later: Later) -> None:
    held = Task.objects.filter(pk=task.pk, worker=worker, state=State.RUNNING)
    run_at = now() + timedelta(seconds=later.seconds)
    held.update(state=State.READY, worker="", lease_until=None, run_at=run_at, attempts=0, error="")


def _failed(task: Task, worker: str, *, error: str, retryable: bool = False) -> None:
    wait_s: float | None = None
    if retryable and task.attempts + 1 < task.max_attempts:
        longest = min(FIRST_RETRY_S * 2**task.attempts, LONGEST_RETRY_S)
        wait_s = random.uniform(longest / 2, longest)
    log.info(
        "%s failed (%s), %s", task, error, f"again in {wait_s:.1f} s" if wait_s else "for good"
    )
    queue.failed_try(task, worker, error=error, wait_s=wait_s)


def _renew_leases(worker: str, stop: threading.Event) -> None:
    while not stop.wait(LEASE.total_seconds() / 3):
        try:
            close_old_connections()
            queue.extend(worker)
        except Exception:
            # A database that is away for a moment must not end the thread:
            # the lease is shorter than most such moments, so go on trying.
            log.exception("Could not renew the leases of %s", worker)
    connection.close()


class Worker:
    """Threads that run tasks until they are told to stop."""

    def __init__(self, *, threads: int) -> None:
        self._stop = threading.Event()
        self._names = [new_name() for _ in range(threads)]
        self._threads = [
            # Daemons: a step that takes its time must not hold up the end of the
            # process; what it held is given back, as after a kill.
            threading.Thread(target=self._work, args=(name,), name=name, daemon=True)
            for name in self._names
        ] + [
            threading.Thread(target=_renew_leases, args=(name, self._stop), daemon=True)
            for name in self._names
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take no new task. Whatever a thread runs now is finished or given back."""
        self._stop.set()

    def join(self, timeout_s: float) -> None:
        """Wait for running steps; what is not done by then is given back for others."""
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        for name in self._names:
            queue.give_back(name)

    def is_alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    def _work(self, name: str) -> None:
        lost_hold = False
        while not self._stop.is_set():
            try:
                close_old_connections()
                if lost_hold:
                    # The end of a task could not be written, and a lease that is
                    # renewed for nobody would keep it from everybody.
                    queue.give_back(name)
                    lost_hold = False
                worked = run_next(name)
            except Exception:
                log.exception("Worker %s could not reach its work", name)
                worked, lost_hold = False, True
            if not worked:
                self._stop.wait(IDLE_S)
        connection.close()
