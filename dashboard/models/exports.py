"""Versions written as files, to be downloaded."""

import uuid

from django.conf import settings
from django.db import models

from dashboard.models.datasets import DatasetVersion
from dashboard.models.tasks import Task


class DatasetExport(models.Model):
    """One file made of a version: of one format, or an archive of several with a manifest.

    How far it is, its `task` tells; only `services.exports` writes it. The
    file lies in a folder of a random name and goes after some days.
    """

    key = models.UUIDField(
        default=uuid.uuid4, unique=True, help_text="Names it in addresses and on the disk"
    )
    version = models.ForeignKey(
        DatasetVersion, on_delete=models.CASCADE, related_name="exports", help_text="Whose rows"
    )
    formats = models.JSONField(help_text="Names of the formats, such as chat-jsonl")
    part = models.CharField(
        max_length=10, blank=True, help_text="Which part of its split; empty for all rows"
    )
    is_archive = models.BooleanField(
        default=False, help_text="Whether it is one zip with a manifest"
    )
    task = models.OneToOneField(
        Task, on_delete=models.PROTECT, related_name="+", help_text="The work, and where it stands"
    )
    filename = models.CharField(
        max_length=255, blank=True, help_text="As it is downloaded; empty until it is written"
    )
    content_type = models.CharField(max_length=80, blank=True, help_text="Its media type")
    n_examples = models.PositiveIntegerField(default=0, help_text="How many rows are in it")
    n_left_out = models.PositiveIntegerField(
        default=0, help_text="How many rows a format could not hold"
    )
    left_out = models.JSONField(default=dict, help_text="Why rows are not in it: {reason: rows}")
    n_bytes = models.PositiveBigIntegerField(default=0, help_text="Its size")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of its bytes, hex")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who asked for it; empty for a command",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was asked for")

    def __str__(self) -> str:
        return self.filename or f"Export of {self.version}"

    @property
    def is_ready(self) -> bool:
        """Whether it can be downloaded."""
        return bool(self.filename)
