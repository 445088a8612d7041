"""Fine-tune jobs and what their endpoint said about them."""

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from dashboard.models.datasets import DatasetVersion
from dashboard.models.people import DiscordUser

TERMINAL = ("succeeded", "failed", "cancelled")


class FineTuneJobQuerySet(models.QuerySet["FineTuneJob"]):
    def unfinished(self) -> Self:
        return self.exclude(status__in=TERMINAL)


class FineTuneJob(models.Model):
    """One training run of one base model on one frozen version of a dataset.

    `status` is text in the endpoint's own words (queued, validating_files,
    running, succeeded, failed, cancelled, and whatever it adds), so that a
    word that we do not know is stored and shown, not lost. Only
    `services.jobs` moves it.
    """

    key = models.UUIDField(
        default=uuid.uuid4, unique=True, help_text="Sent as metadata, to find the job again"
    )
    version = models.ForeignKey(
        DatasetVersion, on_delete=models.PROTECT, related_name="jobs", help_text="What it trains on"
    )
    base_model = models.CharField(max_length=200, help_text="Model to start from")
    method = models.CharField(max_length=40, help_text="knn, supervised, dpo, ... as sent")
    suffix = models.CharField(max_length=64, blank=True, help_text="Part of the new model's name")
    hyperparameters = models.JSONField(default=dict, help_text="As sent; the endpoint fills auto")
    seed = models.PositiveIntegerField(null=True, help_text="For a repeatable run")
    endpoint = models.CharField(max_length=200, help_text="Name of the endpoint that trains")
    status = models.CharField(max_length=40, default="queued", help_text="Where the run stands")
    remote_job_id = models.CharField(
        max_length=100, blank=True, help_text="The endpoint's id; empty until it gave one"
    )
    remote_file_id = models.CharField(
        max_length=100, blank=True, help_text="The uploaded training file's id"
    )
    remote_validation_file_id = models.CharField(
        max_length=100,
        blank=True,
        help_text="The uploaded validation file's id, of a split version",
    )
    fine_tuned_model = models.CharField(
        max_length=200, blank=True, help_text="The resulting model's id"
    )
    trained_tokens = models.PositiveBigIntegerField(null=True, help_text="As the endpoint counts")
    provenance = models.JSONField(
        default=dict,
        help_text="What it was allowed to train on: rows per source, permissions, file hashes",
    )
    error = models.TextField(blank=True, help_text="Why it failed, or what it waits for, in words")
    cancel_requested = models.BooleanField(default=False, help_text="A person asked to stop it")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who asked for it; empty for a command",
    )
    discord_user = models.ForeignKey(
        DiscordUser,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who asked for it on Discord",
    )
    discord_channel_id = models.BigIntegerField(
        null=True, help_text="Discord's id of the channel where it was asked for"
    )
    discord_message_id = models.BigIntegerField(
        null=True, help_text="Discord's id of the message that shows its progress"
    )
    told_at = models.DateTimeField(
        null=True, help_text="When who asked on Discord was told how it ended"
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was asked for")
    finished_at = models.DateTimeField(null=True, help_text="When it came to its end")

    objects = FineTuneJobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "remote_job_id"],
                condition=~models.Q(remote_job_id=""),
                name="finetunejob_remote_id_is_unique",
            )
        ]

    def __str__(self) -> str:
        return f"Job {self.pk}: {self.base_model} on {self.version} ({self.status})"

    @property
    def is_finished(self) -> bool:
        return self.status in TERMINAL


class FineTuneEvent(models.Model):
    """One line of a job's log, or one point of its curves."""

    job = models.ForeignKey(
        FineTuneJob, on_delete=models.CASCADE, related_name="events", help_text="Whose event"
    )
    remote_event_id = models.CharField(max_length=100, help_text="The endpoint's id; ours if local")
    level = models.CharField(max_length=10, help_text="info, warn or error")
    type = models.CharField(max_length=20, help_text="message or metrics")
    message = models.TextField(help_text="In the endpoint's words")
    data = models.JSONField(
        default=dict, help_text="Metrics: step, total_steps, train_loss, valid_loss, ..."
    )
    created_at = models.DateTimeField(db_default=Now(), help_text="When it happened")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["job", "remote_event_id"], name="finetuneevent_is_stored_once"
            )
        ]

    def __str__(self) -> str:
        return self.message

    def metric(self, name: str) -> float | None:
        value: Any = self.data.get(name)
        return float(value) if isinstance(value, int | float) else None


class LegacyJob(models.Model):
    """One job id that the original bot wrote into its `job_ids.json`, kept as it was."""

    remote_job_id = models.CharField(max_length=200, unique=True, help_text="As it was saved")
    description = models.TextField(blank=True, help_text="As it was saved")
    created_at = models.DateTimeField(
        null=True, help_text="When it was saved; the older shape of the file does not tell"
    )
    source_filename = models.CharField(max_length=255, help_text="The file it came from")
    imported_at = models.DateTimeField(auto_now_add=True, help_text="When it was imported")

    def __str__(self) -> str:
        return self.remote_job_id
