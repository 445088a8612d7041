"""How the bot behaves in each guild and channel, and what Discord's roles may do there."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from dashboard.models.people import Access, DiscordChannel, DiscordGuild


class DiscordRole(models.Model):
    """A role of a guild: what its holders may do, and whether the bot listens to them."""

    class Grants(models.TextChoices):
        NOTHING = "", "Nothing more"
        TRAINER = "trainer"
        ADMIN = "admin"

    guild = models.ForeignKey(
        DiscordGuild, on_delete=models.CASCADE, related_name="roles", help_text="Where it exists"
    )
    discord_role_id = models.BigIntegerField(unique=True, help_text="Discord's own id")
    name = models.CharField(max_length=100, help_text="Name when last seen")
    position = models.IntegerField(default=0, help_text="Discord's order; the highest is on top")
    gone_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was last seen to be deleted"
    )
    grants = models.CharField(
        max_length=7, choices=Grants, blank=True, default="", help_text="What its holders are"
    )
    access = models.CharField(
        max_length=5, choices=Access, blank=True, default="", help_text="Whether they are answered"
    )

    class Meta:
        ordering = ["-position", "name"]

    def __str__(self) -> str:
        return f"@{self.name.removeprefix('@')}"


class GuildSettings(models.Model):
    """What counts in a whole guild: who reviews where, how fast, and at what cost."""

    guild = models.OneToOneField(
        DiscordGuild, on_delete=models.CASCADE, related_name="settings", help_text="Which"
    )
    review_channel = models.ForeignKey(
        DiscordChannel,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Where proposed corrections are shown to trainers; empty for the dashboard only",
    )
    reviewers_needed = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text="How many different people must approve a correction before it is in force",
    )
    linked_only = models.BooleanField(
        default=False,
        help_text="Whether, where several must approve, only accounts and those linked to one vote",
    )
    user_cooldown_s = models.FloatField(
        default=0.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(86_400.0)],
        help_text="Seconds between two questions of one person",
    )
    guild_per_minute = models.PositiveIntegerField(
        null=True, blank=True, help_text="Questions a minute from the whole server; empty for any"
    )
    user_tokens = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Tokens a person may use in a month; empty for any"
    )
    guild_tokens = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Tokens the server may use in a month; empty for any"
    )
    user_cost_usd = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="US dollars a person may cost in a month; empty for any",
    )
    guild_cost_usd = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="US dollars the server may cost in a month; empty for any",
    )
    saving_model = models.CharField(
        max_length=200,
        blank=True,
        help_text="Cheaper model that answers when nine tenths of a budget are used",
    )
    updated_at = models.DateTimeField(auto_now=True, help_text="When last changed")

    class Meta:
        verbose_name_plural = "guild settings"
        constraints = [
            models.CheckConstraint(
                condition=Q(reviewers_needed__gte=1, reviewers_needed__lte=5),
                name="guildsettings_reviewers_in_range",
            )
        ]

    def __str__(self) -> str:
        return f"Settings of {self.guild}"


class PlaceSettings(models.Model):
    """How the bot answers in a guild, or in one channel of it.

    What is empty falls through: channel, guild, `AssistantSettings`.
    """

    class Answers(models.TextChoices):
        INHERIT = "", "As elsewhere"
        ADDRESSED = "addressed", "What is said to it"
        EVERYTHING = "everything", "Every message"
        NOTHING = "nothing", "Nothing"

    guild = models.ForeignKey(
        DiscordGuild, on_delete=models.CASCADE, related_name="places", help_text="Where"
    )
    channel = models.OneToOneField(
        DiscordChannel,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="place",
        help_text="Which channel; empty for the whole guild",
    )
    answers = models.CharField(
        max_length=10, choices=Answers, blank=True, default="", help_text="What it answers here"
    )
    model = models.CharField(
        max_length=200, blank=True, help_text="Model that answers here; empty: as elsewhere"
    )
    system_prompt = models.TextField(
        blank=True, help_text="Persona: what the model is told first; empty: as elsewhere"
    )
    language = models.CharField(
        max_length=35, blank=True, help_text="Language tag such as ru-RU; empty: as elsewhere"
    )
    temperature = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0), MaxValueValidator(2.0)],
        help_text="0 to 2; empty: as elsewhere",
    )
    max_tokens = models.PositiveIntegerField(
        null=True, blank=True, help_text="Longest answer in tokens; empty: as elsewhere"
    )
    updated_at = models.DateTimeField(auto_now=True, help_text="When last changed")

    class Meta:
        verbose_name_plural = "place settings"
        constraints = [
            models.UniqueConstraint(
                fields=["guild"],
                condition=Q(channel__isnull=True),
                name="placesettings_is_one_a_guild",
            ),
            models.CheckConstraint(
                condition=Q(temperature=None) | Q(temperature__gte=0, temperature__lte=2),
                name="placesettings_temperature_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.guild} {self.channel or ''}".strip()

    @property
    def is_empty(self) -> bool:
        """Whether everything falls through."""
        words = (self.answers, self.model, self.system_prompt, self.language)
        return not any(words) and self.temperature is None and self.max_tokens is None
