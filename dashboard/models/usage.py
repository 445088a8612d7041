"""What answering cost: by month, person and guild; and the prices it is counted with."""

from django.core.validators import MinValueValidator
from django.db import models

from dashboard.models.people import DiscordGuild, DiscordUser


class ModelPrice(models.Model):
    """What an endpoint charges for one model, as an admin entered it."""

    model = models.CharField(max_length=200, unique=True, help_text="The model's id")
    prompt_usd = models.DecimalField(
        max_digits=10,
        decimal_places=4,
        validators=[MinValueValidator(0)],
        help_text="US dollars for a million tokens read",
    )
    completion_usd = models.DecimalField(
        max_digits=10,
        decimal_places=4,
        validators=[MinValueValidator(0)],
        help_text="US dollars for a million tokens written",
    )
    updated_at = models.DateTimeField(auto_now=True, help_text="When last changed")

    def __str__(self) -> str:
        return self.model


class SpeechPrice(models.Model):
    """What somebody who hears or speaks charges, as an admin entered it."""

    provider = models.CharField(max_length=50, unique=True, help_text="Who, as in a chain")
    heard_usd = models.DecimalField(
        max_digits=10,
        decimal_places=4,
        default=0,
        validators=[MinValueValidator(0)],
        help_text="US dollars for a minute listened to",
    )
    spoken_usd = models.DecimalField(
        max_digits=10,
        decimal_places=4,
        default=0,
        validators=[MinValueValidator(0)],
        help_text="US dollars for a million characters spoken",
    )
    updated_at = models.DateTimeField(auto_now=True, help_text="When last changed")

    def __str__(self) -> str:
        return self.provider


class Usage(models.Model):
    """Tokens, speech and money of one month: of a guild, or of one person in it (or in direct messages).

    `key` is "2026-11:g7" for a guild, "2026-11:g7:u9" for a person in it and
    "2026-11:u9" for direct messages, with our own row ids.
    """

    key = models.CharField(max_length=60, unique=True, help_text="Month, guild, person")
    month = models.DateField(help_text="Its first day")
    guild = models.ForeignKey(
        DiscordGuild, null=True, on_delete=models.CASCADE, related_name="usage", help_text="Where"
    )
    discord_user = models.ForeignKey(
        DiscordUser,
        null=True,
        on_delete=models.CASCADE,
        related_name="usage",
        help_text="Who; empty for the whole guild",
    )
    n_answers = models.PositiveIntegerField(default=0, help_text="Answers given")
    n_tokens = models.PositiveBigIntegerField(default=0, help_text="Tokens read and written")
    heard_ms = models.PositiveBigIntegerField(default=0, help_text="Milliseconds listened to")
    n_spoken = models.PositiveBigIntegerField(default=0, help_text="Characters spoken")
    cost_usd = models.DecimalField(
        max_digits=12, decimal_places=6, default=0, help_text="US dollars, where prices are known"
    )
    warned_at = models.DateTimeField(null=True, help_text="When told that the budget runs out")

    class Meta:
        verbose_name_plural = "usage"
        indexes = [models.Index(fields=["month", "guild"], name="usage_by_month")]

    def __str__(self) -> str:
        return self.key
