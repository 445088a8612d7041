"""What people say of two answers to one question, without knowing whose they are."""

from django.conf import settings
from django.db import models

from dashboard.models.suites import SuiteAnswer


class SuitePoll(models.Model):
    """A pair of answers that is put to a Discord channel as a poll.

    waiting -> open -> closed, and from each of the first two to failed. Only
    `services.suites.polls` moves it. Its votes are numbers: who gave them is kept
    only of those who have linked their account, so that nobody votes twice.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "To be posted"
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"
        FAILED = "failed", "Failed"

    first = models.ForeignKey(
        SuiteAnswer, on_delete=models.CASCADE, related_name="+", help_text="The older answer"
    )
    second = models.ForeignKey(
        SuiteAnswer, on_delete=models.CASCADE, related_name="+", help_text="The newer answer"
    )
    is_swapped = models.BooleanField(help_text="Whether the second answer is shown as A")
    discord_channel_id = models.BigIntegerField(help_text="Discord's id of the channel")
    discord_message_id = models.BigIntegerField(
        null=True, unique=True, help_text="Discord's id of the poll; empty until it is posted"
    )
    state = models.CharField(
        max_length=8, choices=State, default=State.WAITING, help_text="Where it stands"
    )
    hours = models.PositiveSmallIntegerField(default=24, help_text="For how long people may vote")
    ends_at = models.DateTimeField(help_text="When Discord closes it")
    asked_by = models.CharField(max_length=150, blank=True, help_text="Who posted it, by name")
    error = models.TextField(blank=True, help_text="Why it failed, in words")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was asked for")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="suitepoll_is_in_order"
            )
        ]
        indexes = [
            models.Index(
                fields=["ends_at"], condition=models.Q(state="open"), name="suitepoll_open"
            )
        ]

    def __str__(self) -> str:
        return f"Poll {self.pk} ({self.state})"


class SuiteVote(models.Model):
    """One choice between two answers to the same case.

    Of an account of the dashboard, which has one for each pair wherever it was
    given, or of nobody in particular in a poll on Discord.
    """

    class Choice(models.TextChoices):
        FIRST = "first", "The first is better"
        SECOND = "second", "The second is better"
        TIE = "tie", "Both are as good"
        NEITHER = "neither", "Both are bad"

    first = models.ForeignKey(
        SuiteAnswer, on_delete=models.CASCADE, related_name="votes", help_text="The older answer"
    )
    second = models.ForeignKey(
        SuiteAnswer, on_delete=models.CASCADE, related_name="+", help_text="The newer answer"
    )
    choice = models.CharField(max_length=8, choices=Choice, help_text="Which one is better")
    voter = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Who voted; in a poll only of those who have linked their account",
    )
    poll = models.ForeignKey(
        SuitePoll,
        null=True,
        on_delete=models.CASCADE,
        related_name="votes",
        help_text="The poll that it was given in; empty for the dashboard",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When they voted")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="suitevote_is_in_order"
            ),
            models.CheckConstraint(
                condition=models.Q(voter__isnull=False) | models.Q(poll__isnull=False),
                name="suitevote_has_a_voter_or_a_poll",
            ),
            models.UniqueConstraint(
                fields=["first", "second", "voter"],
                condition=models.Q(voter__isnull=False),
                name="suitevote_one_of_each_user",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.choice} of {self.first_id} and {self.second_id}"
