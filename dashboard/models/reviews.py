"""How a correction was reviewed: votes, steps that can be undone, and what was said about it."""

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from dashboard.models.corrections import Correction


class CorrectionVote(models.Model):
    """What one person thinks of a correction. They have one vote, and may change it.

    It counts while the correction has the words and the place that they read.
    """

    correction = models.ForeignKey(
        Correction, on_delete=models.CASCADE, related_name="votes", help_text="Of which"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who, on the dashboard",
    )
    discord_user = models.ForeignKey(
        "dashboard.DiscordUser",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who, on Discord",
    )
    name = models.CharField(max_length=150, help_text="Their name at the time")
    approves = models.BooleanField(help_text="Whether they are for it")
    note = models.TextField(blank=True, help_text="Why, in their words")
    revision = models.PositiveIntegerField(help_text="Which revision they read")
    voted_at = models.DateTimeField(auto_now=True, help_text="When")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["correction", "user"],
                condition=Q(user__isnull=False),
                name="correctionvote_is_one_a_user",
            ),
            models.UniqueConstraint(
                fields=["correction", "discord_user"],
                condition=Q(discord_user__isnull=False),
                name="correctionvote_is_one_a_discord_user",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {'for' if self.approves else 'against'} #{self.correction_id}"


class CorrectionStep(models.Model):
    """One change of a correction, with what was before, so that it can be shown and undone.

    The audit log says who did it and when; its words are here, where they go
    together with the correction.
    """

    correction = models.ForeignKey(
        Correction, on_delete=models.CASCADE, related_name="steps", help_text="Of which"
    )
    verb = models.CharField(max_length=20, help_text='What was done, such as "approve"')
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who, on the dashboard",
    )
    before = models.JSONField(
        encoder=DjangoJSONEncoder, help_text="The fields as they were, and the actor's own vote"
    )
    after = models.JSONField(encoder=DjangoJSONEncoder, help_text="The fields as they became")
    note = models.TextField(blank=True, help_text="Why, in the actor's words")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When")
    undone_at = models.DateTimeField(null=True, help_text="When it was taken back")

    class Meta:
        indexes = [
            models.Index(
                fields=["user", "-id"],
                condition=Q(undone_at__isnull=True),
                name="correctionstep_undoable",
            )
        ]

    def __str__(self) -> str:
        return f"{self.verb} #{self.correction_id}"


class CorrectionComment(models.Model):
    """What somebody said about a correction, to whoever reviews it and to its author."""

    correction = models.ForeignKey(
        Correction, on_delete=models.CASCADE, related_name="comments", help_text="About which"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who",
    )
    author_name = models.CharField(max_length=150, help_text="Their name at the time")
    text = models.TextField(help_text="In their own words")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="correctioncomment_says_something")
        ]

    def __str__(self) -> str:
        return f"{self.author_name}: {self.text[:60]}"
