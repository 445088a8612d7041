"""What people did to a draft, so that each step can be taken back."""

from django.conf import settings
from django.db import models

from dashboard.models.datasets import DatasetVersion, Example


class DatasetEdit(models.Model):
    """One act on a draft: a row rewritten, duplicates removed, private data masked.

    Undone newest first. `args` is what the act was asked with; what it
    changed is in the rows that name it: `Example.removed_by` for removals,
    `EditedExample` for words and parts. `state` is how far it is and what the
    version came to before; only `services.drafts` reads it, and freezing
    empties it.
    """

    class Verb(models.TextChoices):
        ADD = "add", "Added"
        REWRITE = "rewrite", "Rewrote"
        REMOVE = "remove", "Removed"
        MASK = "mask", "Masked private data"
        DEDUPLICATE = "deduplicate", "Removed duplicates"
        SPLIT = "split", "Split"
        RELABEL = "relabel", "Gave another label"

    version = models.ForeignKey(
        DatasetVersion, on_delete=models.CASCADE, related_name="edits", help_text="The draft"
    )
    verb = models.CharField(max_length=12, choices=Verb, help_text="What was done")
    args = models.JSONField(default=dict, help_text="What it was asked with")
    state = models.JSONField(
        default=dict, help_text="{was: the version's sums before, doing, cursor, record}"
    )
    n_rows = models.PositiveIntegerField(default=0, help_text="How many rows it changed")
    is_done = models.BooleanField(
        default=True, help_text="Off while a long one runs; nothing else may change meanwhile"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who did it",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When")
    undone_at = models.DateTimeField(null=True, help_text="When it was taken back")

    def __str__(self) -> str:
        return f"{self.get_verb_display()}: {self.n_rows:,} rows"


class EditedExample(models.Model):
    """What a row said before an edit; kept until the draft is frozen."""

    edit = models.ForeignKey(
        DatasetEdit, on_delete=models.CASCADE, related_name="before", help_text="The edit"
    )
    example = models.ForeignKey(
        Example, on_delete=models.CASCADE, related_name="+", help_text="The row"
    )
    record = models.JSONField(null=True, help_text="As it was; empty where only its part changed")
    part = models.CharField(max_length=10, blank=True, help_text="As it was")
    was_edited = models.BooleanField(default=False, help_text="Whether it had been changed before")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["edit", "example"], name="editedexample_is_kept_once")
        ]

    def __str__(self) -> str:
        return f"{self.example} before {self.edit}"
