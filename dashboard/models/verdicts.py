"""Whether a fine-tune was worth it: four runs of each suite, and what they came to."""

from django.conf import settings
from django.db import models

from dashboard.models.finetuning import FineTuneJob
from dashboard.models.suites import SuiteRun
from dashboard.models.tasks import Task


class Verdict(models.Model):
    """Base and tuned model on the same tests, each with and without recall.

    Empty of a decision until all its runs are over. Only `services.verdicts` writes it.
    """

    class Decision(models.TextChoices):
        PROMOTE = "promote", "Promote"
        KEEP = "keep recall", "No gain: keep recall"
        REFUSE = "refuse", "Do not promote"

    job = models.ForeignKey(
        FineTuneJob,
        null=True,
        on_delete=models.SET_NULL,
        related_name="verdicts",
        help_text="The fine-tune that it is about",
    )
    task = models.OneToOneField(
        Task, on_delete=models.PROTECT, related_name="+", help_text="The work, and where it stands"
    )
    base_model = models.CharField(max_length=200, help_text="What was tuned")
    tuned_model = models.CharField(max_length=200, help_text="What came of it")
    replaces = models.BooleanField(
        default=False,
        help_text="Whether no fine-tune is judged, but a model to take another one's place",
    )
    alias = models.ForeignKey(
        "dashboard.Alias",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Under which name it is to take that place; empty for another place",
    )
    margin = models.FloatField(
        default=2.0, help_text="How many of a hundred answers it may lose on a general suite"
    )
    decision = models.CharField(
        max_length=12, choices=Decision, blank=True, help_text="Empty while runs are under way"
    )
    sentence = models.TextField(blank=True, help_text="What to do, and why, in one sentence")
    reasons = models.JSONField(default=list, help_text="Each reason as a sentence")
    figures = models.JSONField(default=list, help_text="By suite: see services.verdicts")
    error = models.TextField(blank=True, help_text="Why there is no verdict, in words")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who asked for it; empty when a fine-tune ended",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was begun")
    decided_at = models.DateTimeField(null=True, help_text="When its last run was over")

    def __str__(self) -> str:
        return self.sentence or f"Verdict on {self.tuned_model}"


class VerdictRun(models.Model):
    """One of the four runs of one suite."""

    class Side(models.TextChoices):
        BASE = "base", "Base"
        BASE_RECALL = "base_recall", "Base with recall"
        TUNED = "tuned", "Tuned"
        TUNED_RECALL = "tuned_recall", "Tuned with recall"

    verdict = models.ForeignKey(
        Verdict, on_delete=models.CASCADE, related_name="runs", help_text="Its verdict"
    )
    side = models.CharField(max_length=12, choices=Side, help_text="Who is asked, and how")
    run = models.ForeignKey(
        SuiteRun, on_delete=models.PROTECT, related_name="+", help_text="The run"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["verdict", "side", "run"], name="verdict_has_each_run_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_side_display()}: {self.run}"
