"""What people taught: a question, the wrong answer and the right one."""

from typing import Self

from django.conf import settings
from django.db import models

from dashboard.models.suites import Judge


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def proposed(self) -> Self:
        return self.filter(state=Correction.State.PROPOSED)

    def approved(self) -> Self:
        return self.filter(state=Correction.State.APPROVED)


class Correction(models.Model):
    """A better answer to one question, in a person's own words.

    `better_answer` is kept as it was written; no model ever rewrites it.
    proposed -> approved | rejected; an approved one may be rejected later, a
    rejected one approved, and what a reviewer did last they may undo. Only
    `services.corrections` moves it.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "Waiting"
        APPROVED = "approved", "In force"
        REJECTED = "rejected", "Rejected"

    question = models.TextField(help_text="What was asked, verbatim")
    rejected_answer = models.TextField(blank=True, help_text="What the bot said, verbatim")
    better_answer = models.TextField(help_text="What it should have said, verbatim")
    own_question = models.TextField(
        blank=True,
        help_text="The question as a reviewer would ask it, to train on in place of "
        "what somebody wrote on Discord",
    )
    message = models.ForeignKey(
        "dashboard.Message",
        null=True,
        on_delete=models.SET_NULL,
        related_name="corrections",
        help_text="The answer that was corrected; empty if it was taught directly",
    )
    guild = models.ForeignKey(
        "dashboard.DiscordGuild",
        null=True,
        blank=True,
        on_delete=models.CASCADE,  # an empty one would count everywhere
        related_name="+",
        help_text="The only guild where it counts; empty for everywhere",
    )
    channel = models.ForeignKey(
        "dashboard.DiscordChannel",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="The only channel where it counts, its threads included",
    )
    vector = models.BinaryField(
        null=True, editable=False, help_text="What its question means, as numbers of one byte"
    )
    vector_model = models.CharField(
        max_length=100, blank=True, help_text="Which embedding model made the vector"
    )
    model = models.CharField(max_length=200, blank=True, help_text="Which model had answered")
    judge = models.CharField(
        max_length=10,
        choices=Judge,
        default=Judge.TAUGHT,
        help_text="How a model's answer to its question is tested",
    )
    judge_args = models.JSONField(
        default=dict,
        blank=True,
        help_text="For that judge: {least}, {phrases}, {labels} or {rubric}",
    )
    state = models.CharField(
        max_length=10, choices=State, default=State.PROPOSED, help_text="Whether it is in force"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who wrote it, on the dashboard",
    )
    discord_author = models.ForeignKey(
        "dashboard.DiscordUser",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who wrote it, on Discord",
    )
    author_name = models.CharField(max_length=150, blank=True, help_text="Their name at the time")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who decided",
    )
    discord_reviewer = models.ForeignKey(
        "dashboard.DiscordUser",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who decided, on Discord",
    )
    card_channel_id = models.BigIntegerField(
        null=True, help_text="Discord's id of the review channel that shows it"
    )
    card_message_id = models.BigIntegerField(
        null=True, unique=True, help_text="Discord's id of the card that shows it"
    )
    card_is_open = models.BooleanField(
        default=False, help_text="Whether the card still asks for a decision"
    )
    card_is_stale = models.BooleanField(
        default=False, help_text="Whether the card shows less than there is: votes, words, a place"
    )
    told_at = models.DateTimeField(
        null=True,
        help_text="When the old answer on Discord was mended, and its author told; "
        "empty again when it changes",
    )
    told_state = models.CharField(
        max_length=10, blank=True, help_text="Which decision its author was last told of"
    )
    review_note = models.TextField(blank=True, help_text="Why, in the reviewer's words")
    revision = models.PositiveIntegerField(
        default=1,
        help_text="Counts its words and places; a vote is for the revision that the voter read",
    )
    is_disputed = models.BooleanField(
        default=False, help_text="Some approved and some rejected it: an admin decides"
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who has taken on to review it",
    )
    n_fired = models.PositiveIntegerField(
        default=0, help_text="How often its words were the answer"
    )
    n_shown = models.PositiveIntegerField(
        default=0, help_text="How often a model read it as an example"
    )
    last_fired_at = models.DateTimeField(null=True, help_text="When it last took part")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was written")
    updated_at = models.DateTimeField(auto_now=True, help_text="When it last changed")
    reviewed_at = models.DateTimeField(null=True, help_text="When it was decided")

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(question="") & ~models.Q(better_answer=""),
                name="correction_says_something",
            )
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="correction_queue"),
            models.Index(fields=["state", "-updated_at"], name="correction_newest"),
            models.Index(
                fields=["id"],
                condition=models.Q(told_at__isnull=True, message__isnull=False),
                name="correction_untold",
            ),
            models.Index(
                fields=["id"], condition=models.Q(card_is_open=True), name="correction_open_card"
            ),
            models.Index(
                fields=["id"], condition=models.Q(card_is_stale=True), name="correction_stale_card"
            ),
            models.Index(
                fields=["reviewed_at"],
                condition=models.Q(state="approved", n_fired=0, n_shown=0),
                name="correction_never_fired",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.question[:60]}"

    @property
    def asker_is_gone(self) -> bool:
        """Whether it mends an answer that was deleted, with the words of whoever had asked."""
        return self.message_id is None and bool(self.rejected_answer or self.model)

    @property
    def place_name(self) -> str:
        """Where it counts, for people."""
        if self.channel is not None:
            return f"{self.guild} #{self.channel.name}" if self.guild else f"#{self.channel.name}"
        return str(self.guild) if self.guild is not None else "Everywhere"

    @property
    def place_value(self) -> str:
        """The same as forms spell it."""
        if self.channel_id is not None:
            return f"channel-{self.channel_id}"
        return f"guild-{self.guild_id}" if self.guild_id is not None else "everywhere"
