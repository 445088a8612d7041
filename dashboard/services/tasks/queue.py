"""Queueing, claiming and cancelling: one transaction each."""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils.timezone import now

from dashboard.models import Task
from dashboard.models.tasks import TaskQuerySet
from dashboard.services import outbox
from dashboard.services.tasks.leases import LEASE

State = Task.State
OF_BOT = "bot."  # kinds that begin so are the bot's own to claim; workers leave them alone


def submit(
    kind: str,
    *,
    args: dict[str, Any],
    key: str = "",
    run_at: datetime | None = None,
    priority: int = 0,
    max_attempts: int = 5,
) -> Task:
    """Queue one task; with a `key` that was queued before, return that task instead."""
    try:
        with transaction.atomic():
            task = Task.objects.create(
                kind=kind,
                args=args,
                idempotency_key=key,
                run_at=run_at or now(),
                priority=priority,
                max_attempts=max_attempts,
            )
            outbox.publish("tasks", "task.queued", id=task.pk, kind=kind)
            return task
    except IntegrityError:
        if not key:
            raise
        return Task.objects.get(idempotency_key=key)


def claim(worker: str, *, pk: int | None = None, of_bot: bool = False) -> Task | None:
    """Give the next due task to `worker` under a lease, or None.

    pk: only this task, for an engine that delivers ids. of_bot: of those that
    only the bot can do, where it is of the others else. On SQLite the
    transaction takes the write lock before it reads, on PostgreSQL a locked
    row is skipped, so one task never goes to two workers.
    """
    due = Task.objects.claimable()
    due = due.filter(kind__startswith=OF_BOT) if of_bot else due.exclude(kind__startswith=OF_BOT)
    if pk is not None:
        due = due.filter(pk=pk)
    # A look first: idle workers look four times a second, and the transaction
    # below would take SQLite's write lock each time.
    return _take(due, worker) if due.exists() else None


@transaction.atomic
def _take(due: TaskQuerySet, worker: str) -> Task | None:
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    task = due.first()
    if task is None:
        return None
    task.state = State.RUNNING
    task.worker = worker
    task.lease_until = now() + LEASE
    task.save(update_fields=["state", "worker", "lease_until"])
    return task


@transaction.atomic
def cancel(task: Task) -> bool:
    """Ask `task` to stop: at once if nobody runs it, else at its next step. False if it is over."""
    waiting = Q(state=State.READY)
    moved = Task.objects.filter(waiting, pk=task.pk).update(
        state=State.CANCELLED, cancel_requested=True, finished_at=now()
    )
    if moved:
        outbox.publish("tasks", "task.finished", id=task.pk, state=State.CANCELLED)
        return True
    return bool(Task.objects.filter(pk=task.pk, state=State.RUNNING).update(cancel_requested=True))


def extend(worker: str) -> int:
    """Renew the lease of everything that `worker` holds; how many that is."""
    held = Task.objects.filter(worker=worker, state=State.RUNNING)
    return held.update(lease_until=now() + LEASE)


def give_back(worker: str) -> int:
    """Let others take at once what `worker` holds, because it stops."""
    held = Task.objects.filter(worker=worker, state=State.RUNNING)
    return held.update(state=State.READY, worker="", lease_until=None, run_at=now())


def failed_try(task: Task, worker: str, *, error: str, wait_s: float | None) -> bool:
    """Note that a try failed; with `wait_s` it is tried again then, else it has failed for good.

    False if `worker` no longer holds the task.
    """
    held = Task.objects.filter(pk=task.pk, worker=worker, state=State.RUNNING)
    if wait_s is None:
        return finish(task, worker, state=State.FAILED, error=error, attempts=F("attempts") + 1)
    return bool(
        held.update(
            state=State.READY,
            worker="",
            lease_until=None,
            run_at=now() + timedelta(seconds=wait_s),
            attempts=F("attempts") + 1,
            error=error,
        )
    )


@transaction.atomic
def finish(task: Task, worker: str, *, state: str, **changes: Any) -> bool:
    """End `task`, once: False, and nothing is changed, if `worker` no longer holds it."""
    held = Task.objects.filter(pk=task.pk, worker=worker, state=State.RUNNING)
    ended = held.update(state=state, worker="", lease_until=None, finished_at=now(), **changes)
    if ended:
        outbox.publish("tasks", "task.finished", id=task.pk, state=state)
    return bool(ended)
