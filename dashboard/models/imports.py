"""Files on their way to becoming rows: received, checked, imported."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models

from dashboard.models.datasets import Dataset, DatasetVersion, Provenance


class ImportQuerySet(models.QuerySet["DatasetImport"]):
    def unfinished(self) -> Self:
        return self.exclude(state__in=DatasetImport.OVER)


class DatasetImport(models.Model):
    """One file that somebody gave, and how far it is.

    receiving -> received -> checking -> checked -> importing -> imported, or
    failed or cancelled from anywhere. Only `services.imports` moves it. The
    bytes lie in a file of a random name that is deleted at the end; a command
    names a file of its own (`path`), which stays.
    """

    class State(models.TextChoices):
        RECEIVING = "receiving", "Uploading"
        RECEIVED = "received", "Waiting"
        CHECKING = "checking", "Checking"
        CHECKED = "checked", "Checked"
        IMPORTING = "importing", "Importing"
        IMPORTED = "imported", "Imported"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    OVER = (State.IMPORTED, State.FAILED, State.CANCELLED)

    key = models.UUIDField(
        default=uuid.uuid4, unique=True, help_text="Names it in addresses and on the disk"
    )
    state = models.CharField(
        max_length=10, choices=State, default=State.RECEIVING, help_text="How far it is"
    )
    name = models.CharField(max_length=120, blank=True, help_text="The dataset to make or extend")
    filename = models.CharField(max_length=255, help_text="As its owner calls it")
    path = models.TextField(
        blank=True, help_text="A command's own file or folder; empty for an upload"
    )
    n_bytes = models.PositiveBigIntegerField(default=0, help_text="Its whole size")
    n_received = models.PositiveBigIntegerField(default=0, help_text="Bytes that have come")
    file_format = models.CharField(
        max_length=40, blank=True, help_text="What it is read as; empty until it is known"
    )
    options = models.JSONField(
        default=dict, help_text="What a person said of it: {mapping, label, sheet}"
    )
    target = models.CharField(max_length=40, blank=True, help_text="Whose rules it is held to")
    skip_faulty = models.BooleanField(
        default=False, help_text="Import the good rows and leave the faulty ones out"
    )
    freeze = models.BooleanField(
        default=False, help_text="Freeze the version at once, without a draft"
    )
    detected = models.JSONField(
        default=dict, help_text="What it was taken for: {format, kind, said, columns, ...}"
    )
    report = models.JSONField(
        default=dict, help_text="What the check found: {n_examples, n_errors, problems, ...}"
    )
    provenance = models.ForeignKey(
        Provenance, null=True, on_delete=models.PROTECT, related_name="+", help_text="Of its rows"
    )
    dataset = models.ForeignKey(
        Dataset, null=True, on_delete=models.SET_NULL, related_name="+", help_text="Where it went"
    )
    version = models.ForeignKey(
        DatasetVersion,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="What it became",
    )
    error = models.TextField(blank=True, help_text="Why it failed, in words")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who gave it; empty for a command",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was begun")
    updated_at = models.DateTimeField(auto_now=True, help_text="When it last moved")

    objects = ImportQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.filename} ({self.get_state_display()})"

    @property
    def is_over(self) -> bool:
        return self.state in self.OVER
