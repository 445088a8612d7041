"""Training data: a name, its frozen versions, and their rows."""

from typing import Any, Self

from django.conf import settings
from django.db import models

from trainerbot.errors import DatasetFrozen


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def current(self) -> Self:
        """The datasets that a person still sees."""
        return self.filter(archived_at=None)


class Dataset(models.Model):
    """A training set under one name. What it holds is in its versions."""

    name = models.CharField(max_length=120, unique=True, help_text="As shown in lists")
    description = models.TextField(blank=True, help_text="What it teaches, for people")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who made it; empty for a command",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was made")
    archived_at = models.DateTimeField(
        null=True, help_text="When it was deleted from the lists; jobs keep their version"
    )

    objects = DatasetQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def latest(self) -> "DatasetVersion | None":
        return self.versions.order_by("-number").first()


class WholeVersions(models.Manager["DatasetVersion"]):
    def get_queryset(self) -> models.QuerySet["DatasetVersion"]:
        return super().get_queryset().filter(is_whole=True)


class DatasetVersion(models.Model):
    """One frozen state of a dataset: rows that never change, and their hash.

    `sha256` is that of the rows written as canonical JSON lines, so that
    two versions with the same hash train the same model.
    """

    dataset = models.ForeignKey(
        Dataset, on_delete=models.PROTECT, related_name="versions", help_text="Whose version it is"
    )
    number = models.PositiveIntegerField(help_text="Counts from 1 within the dataset")
    sha256 = models.CharField(max_length=64, help_text="Hash of the canonical JSON lines, hex")
    n_examples = models.PositiveIntegerField(help_text="How many rows it has")
    n_bytes = models.PositiveBigIntegerField(help_text="Size of the canonical JSON lines")
    n_warnings = models.PositiveIntegerField(default=0, help_text="Warnings found at import")
    problems = models.JSONField(
        default=list, help_text="The first warnings: [{line, code, message, severity, column}]"
    )
    file_format = models.CharField(max_length=40, help_text="What the source file was taken for")
    source_filename = models.CharField(max_length=255, blank=True, help_text="As it was uploaded")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who imported it; empty for a command",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was frozen")
    is_whole = models.BooleanField(
        default=True, help_text="Off while its rows are being stored; until then nobody sees it"
    )

    objects = WholeVersions()
    everything = models.Manager["DatasetVersion"]()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "number"], name="datasetversion_number_is_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(n_examples__gte=1), name="datasetversion_is_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise DatasetFrozen(f"{self} never changes. Import the file again as a new version.")
        super().save(*args, **kwargs)


class Example(models.Model):
    """One row of a version: a conversation to learn from, in chat format."""

    class Source(models.TextChoices):
        UPLOAD = "upload", "Uploaded file"
        COMMAND = "command", "Command line"
        DASHBOARD = "dashboard", "Written on the dashboard"
        DISCORD_COMMAND = "discord_command", "Given to a bot command"
        DISCORD_MESSAGE = "discord_message", "Discord message content"
        CORRECTION = "correction", "Correction"

    version = models.ForeignKey(
        DatasetVersion, on_delete=models.CASCADE, related_name="examples", help_text="Its version"
    )
    position = models.PositiveIntegerField(help_text="Order within the version, from 0")
    line = models.PositiveIntegerField(help_text="Line of the source file, from 1")
    record = models.JSONField(
        help_text="The row as given: messages, and tools or other keys where it had them"
    )
    question = models.TextField(blank=True, help_text="The last user message, for lists")
    answer = models.TextField(blank=True, help_text="The last assistant message, for lists")
    source = models.CharField(
        max_length=20, choices=Source, help_text="Where the words came from (provenance)"
    )
    author = models.CharField(max_length=150, blank=True, help_text="Who gave them")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "position"], name="example_position_is_unique"
            )
        ]

    def __str__(self) -> str:
        return f"Example {self.position} of {self.version}"

    @property
    def messages(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.record["messages"]
        return messages
