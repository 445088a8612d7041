"""Tests of a model on labelled texts: what was asked of whom, and every answer."""

from typing import Self

from django.conf import settings
from django.db import models

from dashboard.models.datasets import DatasetVersion, Example
from dashboard.models.tasks import Task

SHOWN = 10


class EvaluationQuerySet(models.QuerySet["Evaluation"]):
    def newest(self) -> Self:
        """The last few, as a list beside something else shows them."""
        return self.select_related("task").order_by("-pk")[:SHOWN]


class Evaluation(models.Model):
    """One test of one model on the labelled rows of one frozen version.

    How far it is, its `task` tells; only `services.evaluations` writes it.
    Counts and predictions are written in one transaction, so they agree at
    any moment.
    """

    version = models.ForeignKey(
        DatasetVersion,
        on_delete=models.PROTECT,
        related_name="evaluations",
        help_text="Whose rows are asked",
    )
    part = models.CharField(
        max_length=10, blank=True, help_text="Which part of its split; empty for all rows"
    )
    task = models.OneToOneField(
        Task, on_delete=models.PROTECT, related_name="+", help_text="The work, and where it stands"
    )
    model = models.CharField(max_length=200, help_text="Who is asked")
    endpoint = models.CharField(max_length=200, help_text="Name of the endpoint that answers")
    labels = models.JSONField(help_text="The labels to choose from, in their order")
    instruction = models.TextField(
        blank=True, help_text="System message of every row; empty for what training would send"
    )
    n_records = models.PositiveIntegerField(help_text="How many rows are to be asked")
    n_done = models.PositiveIntegerField(default=0, help_text="How many answers are stored")
    n_right = models.PositiveIntegerField(default=0, help_text="How many of them are right")
    n_unknown = models.PositiveIntegerField(
        default=0, help_text="How many are none of the labels; they count as wrong"
    )
    n_cut = models.PositiveIntegerField(
        default=0, help_text="How many texts were cut at their end to fit the model"
    )
    n_refused = models.PositiveIntegerField(
        default=0, help_text="How many texts the endpoint refused; they count as wrong"
    )
    is_constrained = models.BooleanField(
        default=True,
        help_text="Off where the endpoint does not bind a model to labels, and words were matched",
    )
    scores = models.JSONField(
        null=True, help_text="What it came to: see services.evaluations.results; empty until then"
    )
    error = models.TextField(blank=True, help_text="Why it failed, or what it waits for, in words")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who asked for it; empty for a command",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was asked for")

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(n_right__lte=models.F("n_done")),
                name="evaluation_right_are_done",
            )
        ]

    def __str__(self) -> str:
        return f"Test {self.pk}: {self.model} on {self.version}"

    @property
    def status(self) -> str:
        """queued, running, succeeded, failed or cancelled."""
        return "queued" if self.task.state == Task.State.READY else self.task.state

    @property
    def is_finished(self) -> bool:
        return self.task.is_finished

    @property
    def percent(self) -> int:
        """How much of it is answered, rounded down."""
        return 100 * self.n_done // self.n_records if self.n_records else 100


class Prediction(models.Model):
    """What a model said to one row."""

    evaluation = models.ForeignKey(
        Evaluation,
        on_delete=models.CASCADE,
        related_name="predictions",
        db_index=False,
        help_text="The test it belongs to",
    )
    example = models.ForeignKey(
        Example, on_delete=models.CASCADE, related_name="+", help_text="The row that was asked"
    )
    position = models.PositiveIntegerField(help_text="That row's, for lists in its order")
    expected = models.CharField(max_length=100, help_text="The label of the row")
    predicted = models.CharField(
        max_length=100, blank=True, help_text="The label that was chosen; empty for none of them"
    )
    answer = models.TextField(
        blank=True, help_text="The model's own words, 20,000 characters of them"
    )
    is_right = models.BooleanField(help_text="Whether both labels are the same")
    is_cut = models.BooleanField(default=False, help_text="Whether the text was cut to fit")
    ms = models.PositiveIntegerField(help_text="How long the answer took")
    error = models.TextField(blank=True, help_text="Why the endpoint refused the text, in words")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "position"], name="prediction_is_made_once"
            ),
            models.CheckConstraint(
                condition=models.Q(is_right=True, expected=models.F("predicted"))
                | models.Q(is_right=False) & ~models.Q(expected=models.F("predicted")),
                name="prediction_right_is_equal",
            ),
        ]
        # What the pages filter by; each page costs the same anywhere.
        indexes = [
            models.Index(
                fields=["evaluation", "position"],
                name="prediction_wrong",
                condition=models.Q(is_right=False),
            ),
            models.Index(
                fields=["evaluation", "expected", "predicted", "position"],
                name="prediction_cell",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.expected}: {self.predicted or 'unknown'}"

    @property
    def name(self) -> str:
        """What the data calls the row; its line, where it has no name."""
        named = self.example.record.get("name")
        return str(named) if named else f"line {self.example.line}"

    @property
    def text(self) -> str:
        return self.example.question
