"""What a handler holds while it runs: its arguments, its checkpoint, its lease."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from dashboard.models import Task
from trainerbot.errors import TrainerBotError

# Long enough for a worker on a loaded machine to renew it (it does so three
# times within it), short enough that a person waits for a killed one.
LEASE = timedelta(seconds=15)


class LeaseLost(TrainerBotError):
    """Another worker has taken this task over; stop without writing."""


class Cancelled(TrainerBotError):
    """A person asked for this task to stop."""


class Run:
    """One worker's hold on one task."""

    def __init__(self, task: Task, worker: str) -> None:
        self.task = task
        self.worker = worker

    @property
    def args(self) -> dict[str, Any]:
        args: dict[str, Any] = self.task.args
        return args

    @property
    def checkpoint(self) -> dict[str, Any]:
        """What an earlier call of the handler saved; empty at first."""
        checkpoint: dict[str, Any] = self.task.checkpoint
        return checkpoint

    def is_held(self) -> bool:
        """Whether no other worker has taken the task over."""
        held = Task.objects.filter(pk=self.task.pk, worker=self.worker)
        return held.filter(state=Task.State.RUNNING).exists()

    def save(self, *, step: str = "", progress: float | None = None, **checkpoint: Any) -> None:
        """Write down how far it is, renew the lease, and learn whether to go on.

        Raises LeaseLost if another worker holds the task now and Cancelled
        if a person asked for it to stop.
        """
        merged = {**self.checkpoint, **checkpoint}
        changes: dict[str, Any] = {"checkpoint": merged, "lease_until": now() + LEASE}
        if step:
            changes["step"] = step
        if progress is not None:
            changes["progress"] = min(max(progress, 0.0), 1.0)
        with transaction.atomic():
            held = Task.objects.filter(
                pk=self.task.pk, worker=self.worker, state=Task.State.RUNNING
            )
            if not held.update(**changes):
                raise LeaseLost(f"{self.task} is run by another worker now.")
            self.task.refresh_from_db()
        if self.task.cancel_requested:
            raise Cancelled("A person asked for it to stop.")
