"""What an admin may change while everything runs."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class AssistantSettings(models.Model):
    """How the bot answers, on every face. One row; read at each turn."""

    model = models.CharField(
        max_length=200, blank=True, help_text="Model that answers; empty for the endpoint's own"
    )
    system_prompt = models.TextField(
        blank=True, help_text="What the model is told before each conversation"
    )
    temperature = models.FloatField(
        null=True, blank=True, help_text="0 to 2; empty for the model's default"
    )
    max_tokens = models.PositiveIntegerField(
        default=512, help_text="Longest answer, in the model's tokens"
    )
    training_price = models.DecimalField(
        max_digits=10,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="What the endpoint charges for a million trained tokens; empty if unknown",
    )
    judge_model = models.CharField(
        max_length=200,
        blank=True,
        help_text="Who judges answers by rubric for gates and verdicts; empty for nobody",
    )
    verdict_budget_usd = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text="US dollars that the tests after one fine-tune may cost; empty for any",
    )
    answers_direct = models.BooleanField(
        default=True, help_text="Whether people may write to the bot directly on Discord"
    )
    direct_cooldown_s = models.FloatField(
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(86_400.0)],
        help_text="Seconds between two questions of one person in direct messages",
    )
    direct_tokens = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        help_text="Tokens a person may use in a month in direct messages; empty for any",
    )
    direct_cost_usd = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="US dollars a person may cost in a month in direct messages; empty for any",
    )
    updated_at = models.DateTimeField(auto_now=True, help_text="When last changed")

    class Meta:
        verbose_name_plural = "assistant settings"
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="assistantsettings_is_one_row"),
            models.CheckConstraint(
                condition=models.Q(temperature=None)
                | models.Q(temperature__gte=0, temperature__lte=2),
                name="assistantsettings_temperature_in_range",
            ),
        ]

    def __str__(self) -> str:
        return "Assistant settings"
