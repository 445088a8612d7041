"""Trainings on what people taught: what was asked for, how far it is, and what went in."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models

from dashboard.models.corrections import Correction
from dashboard.models.datasets import DatasetVersion
from dashboard.models.finetuning import FineTuneJob
from dashboard.models.people import DiscordGuild
from dashboard.models.tasks import Task
from dashboard.models.verdicts import Verdict


class TrainingQuerySet(models.QuerySet["Training"]):
    def unfinished(self) -> Self:
        return self.filter(finished_at=None)


class Training(models.Model):
    """One press of "Train on what people taught us".

    picking -> freezing -> tuning [-> preferring] -> testing -> succeeded, and
    from each of them to failed or cancelled. Only `services.trainings` moves it.
    """

    class Stage(models.TextChoices):
        PICKING = "picking", "Picking corrections"
        FREEZING = "freezing", "Writing the dataset"
        TUNING = "tuning", "Fine-tuning"
        PREFERRING = "preferring", "Learning from wrong answers"
        TESTING = "testing", "Testing"
        SUCCEEDED = "succeeded", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    key = models.UUIDField(
        default=uuid.uuid4, unique=True, help_text="Of the form: pressed twice, it begins once"
    )
    scope = models.CharField(
        max_length=30, help_text='Whose corrections: "everywhere", "all", or "guild-" and its id'
    )
    guild = models.ForeignKey(
        DiscordGuild,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The guild whose corrections are learned beside those of everywhere",
    )
    with_known = models.BooleanField(
        default=True, help_text="Whether it learns again what a model has learned before"
    )
    hold_out = models.PositiveSmallIntegerField(
        default=0, help_text="How many of a hundred corrections are kept for the test alone"
    )
    base_model = models.CharField(max_length=200, help_text="Model to start from")
    way = models.CharField(
        max_length=40, help_text='Method as sent, or "supervised+dpo" for one after the other'
    )
    suffix = models.CharField(max_length=64, blank=True, help_text="Part of the new model's name")
    mixed_in = models.ForeignKey(
        DatasetVersion,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="General examples that are learned beside, against forgetting",
    )
    suite_ids = models.JSONField(
        default=list, help_text="General suites that it is tested with, by id"
    )
    task = models.OneToOneField(
        Task, on_delete=models.PROTECT, related_name="+", help_text="The work, and where it stands"
    )
    stage = models.CharField(
        max_length=12, choices=Stage, default=Stage.PICKING, help_text="What is done just now"
    )
    counts = models.JSONField(
        default=dict, help_text="What was picked, and what was left out and why"
    )
    version = models.ForeignKey(
        DatasetVersion,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Questions with the right answers, as they are learned",
    )
    pairs = models.ForeignKey(
        DatasetVersion,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The same with the bot's own wrong answer beside, as they are preferred",
    )
    job = models.ForeignKey(
        FineTuneJob,
        null=True,
        on_delete=models.SET_NULL,
        related_name="trainings",
        help_text="The fine-tune on the version",
    )
    preference_job = models.ForeignKey(
        FineTuneJob,
        null=True,
        on_delete=models.SET_NULL,
        related_name="preference_trainings",
        help_text="The fine-tune on the pairs",
    )
    verdict = models.ForeignKey(
        Verdict,
        null=True,
        on_delete=models.SET_NULL,
        related_name="trainings",
        help_text="Whether it was worth it",
    )
    model = models.CharField(max_length=200, blank=True, help_text="What came of it")
    error = models.TextField(blank=True, help_text="Why it failed, or what it waits for, in words")
    cancel_requested = models.BooleanField(default=False, help_text="A person asked to stop it")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who pressed; empty for a command",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was asked for")
    finished_at = models.DateTimeField(null=True, help_text="When it came to its end")

    objects = TrainingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope"],
                condition=models.Q(finished_at__isnull=True),
                name="training_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"Training {self.pk}"

    @property
    def is_finished(self) -> bool:
        return self.finished_at is not None


class Lesson(models.Model):
    """One correction in one training: what of it a model learned, or is tested on.

    It outlives the correction, so that a model is known to hold words that
    were erased since.
    """

    class Use(models.TextChoices):
        LEARNED = "learned", "Learned"
        HELD_OUT = "held_out", "Held out for the test"

    training = models.ForeignKey(
        Training, on_delete=models.CASCADE, related_name="lessons", help_text="Its training"
    )
    correction = models.ForeignKey(
        Correction,
        null=True,
        on_delete=models.SET_NULL,
        related_name="lessons",
        help_text="What was learned; empty once it was erased",
    )
    revision = models.PositiveIntegerField(help_text="Of the correction, as it was learned")
    use = models.CharField(
        max_length=10, choices=Use, default=Use.LEARNED, help_text="What it is for"
    )
    # Positions and no foreign keys: those would make each deletion of examples look here.
    position = models.PositiveIntegerField(null=True, help_text="Of its row in the version")
    pair_position = models.PositiveIntegerField(null=True, help_text="Of its row in the pairs")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["training", "correction"], name="lesson_is_learned_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.training}: {self.correction or 'an erased correction'}"


class TrainingCard(models.Model):
    """The message in one guild's review channel that tells how a training ended.

    Written with the end; the bot posts it, and notes that it did.
    """

    training = models.ForeignKey(
        Training, on_delete=models.CASCADE, related_name="cards", help_text="What it tells of"
    )
    guild = models.ForeignKey(
        DiscordGuild,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Whose reviewers are told",
    )
    discord_channel_id = models.BigIntegerField(
        null=True, help_text="Discord's id of the channel where it stands"
    )
    discord_message_id = models.BigIntegerField(null=True, help_text="Discord's id of the message")
    told_at = models.DateTimeField(
        null=True, help_text="When it was posted, or found that it cannot be"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["training", "guild"], name="trainingcard_is_one_a_guild"
            )
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(told_at__isnull=True), name="trainingcard_untold"
            )
        ]

    def __str__(self) -> str:
        return f"{self.training} in {self.guild}"
