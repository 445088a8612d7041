"""The system's own processes, as they last reported."""

from datetime import timedelta

from django.db import models
from django.utils.timezone import now

HEARTBEAT_TIMEOUT = timedelta(seconds=30)


class ProcessState(models.Model):
    """One part of the running system: web, worker, modelserver, bot or supervisor."""

    class State(models.TextChoices):
        STARTING = "starting"
        RUNNING = "running"
        BACKOFF = "backoff", "Restarting"
        FAILED = "failed"
        STOPPED = "stopped"
        DISABLED = "disabled"

    name = models.CharField(max_length=40, unique=True, help_text="Which part")
    state = models.CharField(
        max_length=10, choices=State, default=State.STOPPED, help_text="How it is"
    )
    pid = models.PositiveIntegerField(null=True, help_text="Operating system's process id")
    restarts = models.PositiveIntegerField(default=0, help_text="Since the system was started")
    exit_code = models.IntegerField(null=True, help_text="Of its last end, if it ended")
    message = models.TextField(blank=True, help_text="Why it is so, in words")
    detail = models.JSONField(default=dict, help_text="Figures of its own, such as latency_ms")
    holder = models.CharField(
        max_length=80, blank=True, help_text="Who runs it now, where only one may"
    )
    is_wanted = models.BooleanField(
        default=True, help_text="Whether it shall run; an admin may stop it on the dashboard"
    )
    restart_asked_at = models.DateTimeField(
        null=True, help_text="When an admin last asked for a restart"
    )
    started_at = models.DateTimeField(null=True, help_text="When it last started")
    heartbeat_at = models.DateTimeField(null=True, help_text="When it last spoke for itself")

    def __str__(self) -> str:
        return f"{self.name} {self.state}"

    @property
    def is_held(self) -> bool:
        """Somebody said within the last 30 seconds to be the one that runs it."""
        return (
            self.holder != ""
            and self.heartbeat_at is not None
            and self.heartbeat_at > now() - HEARTBEAT_TIMEOUT
        )

    @property
    def is_alive(self) -> bool:
        """It says that it runs, and said so within the last 30 seconds."""
        return (
            self.state == self.State.RUNNING
            and self.heartbeat_at is not None
            and self.heartbeat_at > now() - HEARTBEAT_TIMEOUT
        )
