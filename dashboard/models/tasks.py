"""Background work as rows: what is to do, who holds it, and until when."""

from typing import Self

from django.db import models
from django.utils.timezone import now


class TaskQuerySet(models.QuerySet["Task"]):
    def claimable(self) -> Self:
        """Due and held by nobody: ready, or running under a lease that ran out."""
        moment = now()
        ready = models.Q(state=Task.State.READY, run_at__lte=moment)
        abandoned = models.Q(state=Task.State.RUNNING, lease_until__lt=moment)
        return self.filter(ready | abandoned).order_by("-priority", "run_at", "id")

    def unfinished(self) -> Self:
        return self.filter(state__in=[Task.State.READY, Task.State.RUNNING])


class Task(models.Model):
    """One piece of background work under a lease.

    ready -> running -> succeeded | failed | cancelled, and back to ready
    to wait or to try again. Whoever runs it writes only with
    `worker=<itself>`, so a worker that lost its lease changes nothing.
    """

    class State(models.TextChoices):
        READY = "ready"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    kind = models.CharField(max_length=60, help_text="Which handler runs it, as registered")
    args = models.JSONField(default=dict, help_text="Keyword arguments of the handler")
    state = models.CharField(
        max_length=10, choices=State, default=State.READY, help_text="Where it stands"
    )
    priority = models.SmallIntegerField(default=0, help_text="Higher runs first")
    run_at = models.DateTimeField(default=now, help_text="Not before")
    lease_until = models.DateTimeField(null=True, help_text="When its worker counts as dead")
    worker = models.CharField(max_length=80, blank=True, help_text="Who holds it")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Failed tries so far")
    max_attempts = models.PositiveSmallIntegerField(default=5, help_text="Tries before it fails")
    cancel_requested = models.BooleanField(default=False, help_text="A person asked to stop it")
    progress = models.FloatField(default=0.0, help_text="0 to 1")
    step = models.CharField(max_length=60, blank=True, help_text="What it is doing, in words")
    checkpoint = models.JSONField(default=dict, help_text="What a resumed run starts from")
    result = models.JSONField(null=True, help_text="What it came to")
    error = models.TextField(blank=True, help_text="Why it failed or waits, in words")
    idempotency_key = models.CharField(
        max_length=120, blank=True, help_text="The same key is never queued twice; empty for none"
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was queued")
    finished_at = models.DateTimeField(null=True, help_text="When it came to its end")

    objects = TaskQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["state", "-priority", "run_at", "id"], name="task_claim_order")
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="running")
                | (models.Q(lease_until__isnull=False) & ~models.Q(worker="")),
                name="task_running_is_leased",
            ),
            models.UniqueConstraint(
                fields=["idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="task_idempotency_key_is_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} ({self.state})"

    @property
    def is_finished(self) -> bool:
        return self.state not in (self.State.READY, self.State.RUNNING)

    @property
    def percent(self) -> int | None:
        """How much of its step is done, 1 to 100; None while nobody knows."""
        return round(100 * self.progress) or None
