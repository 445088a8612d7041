"""What people asked of the bot on Discord that takes long enough to outlive a restart of it."""

from typing import Self

from django.db import models
from django.db.models.functions import Coalesce, Now

from dashboard.models.datasets import DatasetVersion
from dashboard.models.evaluations import Evaluation
from dashboard.models.finetuning import FineTuneJob
from dashboard.models.imports import DatasetImport
from dashboard.models.people import DiscordUser


class DiscordRequestQuerySet(models.QuerySet["DiscordRequest"]):
    def untold(self) -> Self:
        """Those whose message still shows how it goes, oldest first."""
        return self.filter(told_at=None).order_by("pk")

    def tell(self) -> int:
        """Note that their messages say how they ended; how many did not before."""
        return self.filter(told_at=None).update(
            told_at=Now(), ended_at=Coalesce("ended_at", Now()), url=""
        )


class DiscordRequest(models.Model):
    """One command whose message tells how it goes, from its first word to its last.

    open -> ended, by `services.requests` -> told, by the bot. What comes next
    follows from its kind and from the rows that it names: a file is fetched,
    imported, trained on. A job tells of itself, so a request ends with it.
    """

    class Kind(models.TextChoices):
        IMPORT = "import"
        TRAIN = "train"
        TEST = "test"

    kind = models.CharField(max_length=10, choices=Kind, help_text="Which command it was")
    discord_user = models.ForeignKey(
        DiscordUser, null=True, on_delete=models.SET_NULL, related_name="+", help_text="Who asked"
    )
    asker_name = models.CharField(max_length=150, help_text="Their name, for the audit log")
    discord_guild_id = models.BigIntegerField(
        null=True, help_text="Discord's id of the server; empty for direct messages"
    )
    discord_channel_id = models.BigIntegerField(help_text="Discord's id of the channel")
    discord_message_id = models.BigIntegerField(
        unique=True, help_text="Discord's id of the message of ours that tells how it goes"
    )
    url = models.TextField(
        blank=True, help_text="Where Discord keeps the attached file; empty once it is over"
    )
    imported = models.ForeignKey(
        DatasetImport,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The file on its way to rows; empty where none was given",
    )
    version = models.ForeignKey(
        DatasetVersion,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="What is to be trained on, where it was named",
    )
    evaluation = models.ForeignKey(
        Evaluation,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The test of a dataset; empty for pasted records",
    )
    job = models.ForeignKey(
        FineTuneJob,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The job that it became, or that was there before",
    )
    is_faulty = models.BooleanField(
        default=False, help_text="The file has faults, which its import's report lists"
    )
    error = models.TextField(blank=True, help_text="Why nothing came of it, in words")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was asked for")
    ended_at = models.DateTimeField(null=True, help_text="When it came to its end")
    told_at = models.DateTimeField(null=True, help_text="When its message said so")

    objects = DiscordRequestQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} for {self.asker_name}"

    @property
    def has_ended(self) -> bool:
        return self.ended_at is not None


class OpenInteraction(models.Model):
    """With what a slash command may be answered while Discord shows that the bot thinks.

    Only for the next process, should this one be killed. `sealed` is a secret
    that is encrypted with a key made of SECRET_KEY.
    """

    question = models.OneToOneField(
        "dashboard.Message",
        on_delete=models.CASCADE,
        related_name="+",
        help_text="The question that the command asked",
    )
    sealed = models.BinaryField(help_text="The command's token, encrypted")
    expires_at = models.DateTimeField(db_index=True, help_text="When Discord takes it no more")

    def __str__(self) -> str:
        return f"Command of question {self.question_id}"
