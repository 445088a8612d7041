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


class MeaningSettings(models.Model):
    """By what recall compares questions beside their words, and what is known of that model.

    One row. An admin chooses; all below `model` is written by
    `services.meanings` alone.
    """

    class By(models.TextChoices):
        OURS = "ours", "Meaning, by this machine's model server where it can"
        CHOSEN = "chosen", "Meaning, by the model named here"
        WORDS = "words", "Words alone"

    by = models.CharField(
        max_length=10, choices=By, default=By.OURS, help_text="What questions are compared by"
    )
    endpoint = models.CharField(
        max_length=200, blank=True, help_text="Where the named model is; empty for the endpoint's"
    )
    model = models.CharField(
        max_length=200, blank=True, help_text="An embedding model, by the endpoint's name for it"
    )
    space = models.CharField(
        max_length=100, blank=True, help_text="What vectors are called that are in force; or none"
    )
    space_endpoint = models.CharField(
        max_length=200, blank=True, help_text="The endpoint of the model in force"
    )
    space_model = models.CharField(
        max_length=200, blank=True, help_text="The embedding model in force"
    )
    calibration = models.BinaryField(
        null=True, editable=False, help_text="How its vectors are made comparable"
    )
    is_behind = models.BooleanField(
        default=False, help_text="Whether more vectors were made than processes were told of"
    )
    n_tokens = models.PositiveBigIntegerField(
        default=0, help_text="Tokens that embedding models have read"
    )
    cost_usd = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        default=0,
        help_text="US dollars, where their prices are known",
    )
    problem = models.CharField(
        max_length=500, blank=True, help_text="Why the model does not answer, in words"
    )
    updated_at = models.DateTimeField(auto_now=True, help_text="When last changed")

    class Meta:
        verbose_name_plural = "meaning settings"
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="meaningsettings_is_one_row"),
        ]

    def __str__(self) -> str:
        return "Meaning settings"
