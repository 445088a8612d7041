"""Training data: a name, its versions, their rows, and where each row came from."""

from collections.abc import Iterator
from typing import Any, Self

from django.conf import settings
from django.db import models

from trainerbot.errors import DatasetFrozen
from trainerbot.formats.rows import Kind


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
        """The newest version, frozen or still a draft."""
        return self.versions.order_by("-number").first()


class VersionQuerySet(models.QuerySet["DatasetVersion"]):
    def frozen(self) -> Self:
        return self.filter(frozen_at__isnull=False)

    def drafts(self) -> Self:
        return self.filter(frozen_at__isnull=True)


class WholeVersions(models.Manager.from_queryset(VersionQuerySet)):  # type: ignore[misc]  # django-stubs knows it only as a base
    def get_queryset(self) -> VersionQuerySet:
        return super().get_queryset().filter(is_whole=True)  # type: ignore[no-any-return]  # as above


class DatasetVersion(models.Model):
    """One state of a dataset: a draft that people edit, then frozen for good.

    `sha256` is that of the rows written as canonical JSON lines, so that
    two versions with the same hash train the same model; a draft has none
    until it is frozen. `summary` is what `services.examination` found.
    """

    dataset = models.ForeignKey(
        Dataset, on_delete=models.PROTECT, related_name="versions", help_text="Whose version it is"
    )
    number = models.PositiveIntegerField(help_text="Counts from 1 within the dataset")
    parent = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.SET_NULL,
        related_name="children",
        help_text="The version that this one was copied from",
    )
    kind = models.CharField(
        max_length=12,
        choices=[(each.value, each.value) for each in Kind],
        default=Kind.CHAT.value,
        help_text="What its rows are: conversations, preferences, judged answers or labelled texts",
    )
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="Hash of the canonical JSON lines, hex; once frozen"
    )
    n_examples = models.PositiveIntegerField(help_text="How many rows it has")
    n_bytes = models.PositiveBigIntegerField(help_text="Size of the canonical JSON lines")
    n_warnings = models.PositiveIntegerField(default=0, help_text="Warnings found at import")
    problems = models.JSONField(
        default=list, help_text="The first warnings: [{line, code, message, severity, column}]"
    )
    file_format = models.CharField(max_length=40, help_text="What the source file was taken for")
    source_filename = models.CharField(max_length=255, blank=True, help_text="As it was uploaded")
    note = models.TextField(blank=True, help_text="What changed and why, for people")
    summary = models.JSONField(
        default=dict, help_text="Tokens, labels, duplicates, private data, lengths: what was found"
    )
    split = models.JSONField(
        default=dict, help_text="How it was split: {seed, shares}; empty for no split"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who made it; empty for a command",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was made")
    frozen_at = models.DateTimeField(
        null=True, help_text="Since when nothing in it changes; empty for a draft"
    )
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who froze it; empty for a command",
    )
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
                condition=models.Q(frozen_at__isnull=True)
                | (models.Q(n_examples__gte=1) & ~models.Q(sha256="")),
                name="datasetversion_frozen_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding and self.frozen_at is not None:
            raise DatasetFrozen(f"{self} never changes. Edit a copy of it.")
        super().save(*args, **kwargs)

    @property
    def is_draft(self) -> bool:
        return self.frozen_at is None


class Provenance(models.Model):
    """Where words came from, who gave them, and under which terms.

    One row serves all examples of one import. Discord's developer policy
    forbids training on message content got through its API without its
    express permission, so that permission is kept here, in an admin's words.
    """

    class Source(models.TextChoices):
        UPLOAD = "upload", "Uploaded file"
        COMMAND = "command", "Command line"
        DASHBOARD = "dashboard", "Written on the dashboard"
        DISCORD_COMMAND = "discord_command", "Discord command or form"
        DISCORD_MESSAGE = "discord_message", "Discord message content"
        CORRECTION = "correction", "Correction"

    source = models.CharField(max_length=20, choices=Source, help_text="Where the words came from")
    author = models.CharField(max_length=150, blank=True, help_text="Who gave them")
    licence = models.CharField(
        max_length=120, blank=True, help_text="Their licence, such as MIT or CC-BY-4.0"
    )
    reference = models.CharField(
        max_length=255, blank=True, help_text='Which one: a file name, "correction #3"'
    )
    permission = models.TextField(
        blank=True, help_text="Who permitted training on them, and where that is written"
    )
    permitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Which admin recorded the permission",
    )
    permitted_at = models.DateTimeField(null=True, help_text="When it was recorded")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When the words came in")

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.reference}".strip()


class ExampleQuerySet(models.QuerySet["Example"]):
    def kept(self, *, part: str = "") -> Self:
        """Those that no edit took out: all, or those of one part of the split."""
        rows = self.filter(removed_by=None)
        return rows.filter(part=part) if part else rows

    def last_position(self) -> int:
        """The highest position, -1 where there is no row."""
        last = self.order_by("-position").values_list("position", flat=True).first()
        return -1 if last is None else last

    def each_value(self, field: str) -> Iterator[Any]:
        """Every value of an indexed field once, rising: by hopping, not by reading all rows."""
        rows = self.order_by(field)
        value = rows.values_list(field, flat=True).first()
        while value is not None:
            yield value
            value = rows.filter(**{f"{field}__gt": value}).values_list(field, flat=True).first()


class Example(models.Model):
    """One row of a version: something to learn from, in the shape of the version's kind."""

    version = models.ForeignKey(
        DatasetVersion,
        on_delete=models.CASCADE,
        related_name="examples",
        db_index=False,
        help_text="Its version",
    )
    position = models.PositiveIntegerField(help_text="Order within the version, from 0")
    line = models.PositiveIntegerField(help_text="Line of the source file, from 1")
    record = models.JSONField(help_text="The row: see trainerbot.formats.rows.Kind")
    question = models.TextField(blank=True, help_text="What is asked, for lists")
    answer = models.TextField(blank=True, help_text="What is to be answered, for lists")
    label = models.CharField(
        max_length=100, blank=True, help_text="Its class, where it has one; cut at 100 characters"
    )
    part = models.CharField(
        max_length=10, blank=True, help_text="train, validation or test; empty before a split"
    )
    provenance = models.ForeignKey(
        Provenance,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="+",
        help_text="Where it came from",
    )
    digest = models.BigIntegerField(
        null=True, help_text="Of its folded words: equal for exact duplicates; empty until taken"
    )
    n_tokens = models.PositiveIntegerField(null=True, help_text="Its length; empty until counted")
    n_private = models.PositiveSmallIntegerField(
        null=True, help_text="Places that look private; empty until looked for"
    )
    duplicate_of = models.PositiveIntegerField(
        null=True, help_text="Position of the example that it repeats"
    )
    likeness = models.FloatField(
        null=True, help_text="How alike the two are, 0 to 1; 1 is an exact duplicate"
    )
    outlier = models.SmallIntegerField(
        default=0, help_text="-1 far shorter, 1 far longer than the others, else 0"
    )
    edited = models.BooleanField(default=False, help_text="Whether a person changed its words")
    removed_by = models.ForeignKey(
        "dashboard.DatasetEdit",
        null=True,
        on_delete=models.SET_NULL,
        db_index=False,
        related_name="removed",
        help_text="The edit of a draft that took it out; it goes for good when frozen",
    )

    objects = ExampleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "position"], name="example_position_is_unique"
            )
        ]
        # Each filter of the example browser has the index that makes its pages cost the
        # same anywhere; partial, since most rows have none of these marks.
        indexes = [
            models.Index(
                fields=["version", "position"],
                name="example_kept",
                condition=models.Q(removed_by__isnull=True),
            ),
            models.Index(fields=["version", "provenance", "position"], name="example_provenance"),
            models.Index(
                fields=["version", "label", "position"],
                name="example_label",
                condition=~models.Q(label=""),
            ),
            models.Index(
                fields=["version", "part", "position"],
                name="example_part",
                condition=~models.Q(part=""),
            ),
            models.Index(
                fields=["version", "position"],
                name="example_private",
                condition=models.Q(n_private__gt=0),
            ),
            models.Index(
                fields=["version", "position"],
                name="example_duplicate",
                condition=models.Q(duplicate_of__isnull=False),
            ),
            models.Index(
                fields=["version", "position"],
                name="example_outlier",
                condition=~models.Q(outlier=0),
            ),
            models.Index(
                fields=["version", "position"],
                name="example_edited",
                condition=models.Q(edited=True),
            ),
            models.Index(
                fields=["version", "position"],
                name="example_taken_out",
                condition=models.Q(removed_by__isnull=False),
            ),
            models.Index(
                fields=["removed_by"],
                name="example_removed",
                condition=models.Q(removed_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Example {self.position} of {self.version}"

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation of a chat row; empty for another kind."""
        messages: list[dict[str, Any]] = self.record.get("messages", [])
        return messages
