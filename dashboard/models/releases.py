"""What answers under a name: its releases, who gets which, and how that came about."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from dashboard.models.conversations import Message


class Alias(models.Model):
    """A name such as "support" that places ask for as "@support", and what answers under it.

    Only `services.releases` writes it. Whoever a release names must be one of
    its own; the one that is stable answers everybody but the canary's share.
    """

    name = models.SlugField(max_length=40, unique=True, help_text='Without its "@"')
    note = models.CharField(max_length=200, blank=True, help_text="What it is for")
    stable = models.ForeignKey(
        "dashboard.Release",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What answers; empty while nothing was promoted",
    )
    canary = models.ForeignKey(
        "dashboard.Release",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What answers a share of the people, to be watched",
    )
    canary_percent = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(99)],
        help_text="How many of a hundred people the canary answers",
    )
    shadow = models.ForeignKey(
        "dashboard.Release",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What is asked as well, unseen, to be compared",
    )
    shadow_percent = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(100)],
        help_text="How many of a hundred questions the shadow is asked",
    )
    suites = models.ManyToManyField(
        "dashboard.Suite",
        blank=True,
        related_name="+",
        help_text="On which a new model may not do worse, beside the corrections in force",
    )
    margin = models.FloatField(
        default=2.0,
        validators=[MinValueValidator(0.0), MaxValueValidator(100.0)],
        help_text="How many of a hundred answers it may do worse on them",
    )
    judge_model = models.CharField(
        max_length=200,
        blank=True,
        help_text="Who judges their rubrics; empty for the one of the settings",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was made")
    updated_at = models.DateTimeField(auto_now=True, help_text="When it last changed")

    class Meta:
        verbose_name_plural = "aliases"
        constraints = [
            models.CheckConstraint(
                condition=Q(canary__isnull=True, canary_percent=0)
                | Q(canary__isnull=False, canary_percent__gte=1, canary_percent__lte=99),
                name="alias_canary_has_a_share",
            ),
            models.CheckConstraint(
                condition=Q(shadow__isnull=True, shadow_percent=0)
                | Q(shadow__isnull=False, shadow_percent__gte=1, shadow_percent__lte=100),
                name="alias_shadow_has_a_share",
            ),
            models.CheckConstraint(
                condition=Q(stable__isnull=False) | Q(canary__isnull=True, shadow__isnull=True),
                name="alias_shares_with_a_stable_one",
            ),
        ]

    def __str__(self) -> str:
        return f"@{self.name}"


class Release(models.Model):
    """A model with its prompt and settings, as they were tried together. Never changed.

    What is empty is as the place has it.
    """

    alias = models.ForeignKey(
        Alias, on_delete=models.CASCADE, related_name="releases", help_text="Under which name"
    )
    number = models.PositiveIntegerField(help_text="1, 2, 3 under its name")
    model = models.CharField(max_length=200, help_text="Who answers")
    system_prompt = models.TextField(blank=True, help_text="What the model is told first")
    temperature = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0), MaxValueValidator(2.0)],
        help_text="0 to 2",
    )
    max_tokens = models.PositiveIntegerField(
        null=True, blank=True, help_text="Longest answer, in the model's tokens"
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was made")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["alias", "number"], name="release_number_is_its_own"),
            models.CheckConstraint(condition=~Q(model=""), name="release_has_a_model"),
            models.CheckConstraint(
                condition=Q(temperature=None) | Q(temperature__gte=0, temperature__lte=2),
                name="release_temperature_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alias} {self.number}: {self.model}"


class Promotion(models.Model):
    """One change of what answers under a name: the history, which is only added to."""

    class Action(models.TextChoices):
        PROMOTE = "promote", "Promoted"
        ROLL_BACK = "roll back", "Rolled back"
        CANARY = "canary", "Canary"
        SHADOW = "shadow", "Shadow"
        STOP_CANARY = "stop canary", "Canary stopped"
        STOP_SHADOW = "stop shadow", "Shadow stopped"

    alias = models.ForeignKey(
        Alias, on_delete=models.CASCADE, related_name="promotions", help_text="Under which name"
    )
    action = models.CharField(max_length=12, choices=Action, help_text="What was done")
    release = models.ForeignKey(
        Release, on_delete=models.CASCADE, related_name="+", help_text="With which release"
    )
    previous = models.ForeignKey(
        Release,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="What was in its place before",
    )
    percent = models.PositiveSmallIntegerField(default=100, help_text="For how many of a hundred")
    why = models.TextField(blank=True, help_text="In the words of who did it")
    objections = models.JSONField(
        default=list, help_text="What the gate had against it, when it was overridden"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who did it, on the dashboard",
    )
    actor_name = models.CharField(max_length=150, help_text="Their name at the time")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(objections=[]) | ~Q(why=""), name="promotion_override_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(previous__isnull=True) | ~Q(previous=F("release")),
                name="promotion_changes_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.alias} {self.get_action_display()}: {self.release.model}"


class ShadowAnswer(models.Model):
    """What a shadow would have answered. Nobody on Discord ever sees it."""

    question = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="shadows", help_text="What was asked"
    )
    release = models.ForeignKey(
        Release, on_delete=models.CASCADE, related_name="shadows", help_text="Who was asked too"
    )
    answer = models.TextField(blank=True, help_text="Its words; empty until it was asked")
    error = models.TextField(blank=True, help_text="Why there is no answer, in words")
    prompt_tokens = models.PositiveIntegerField(null=True, help_text="Tokens read, if told")
    completion_tokens = models.PositiveIntegerField(null=True, help_text="Tokens written, if told")
    cost_usd = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, help_text="US dollars, where a price is known"
    )
    ms = models.PositiveIntegerField(null=True, help_text="How long the answer took")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was asked for")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["question", "release"], name="shadow_is_asked_once")
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(answer="", error=""), name="shadow_is_to_be_asked"
            )
        ]

    def __str__(self) -> str:
        return f"Shadow of {self.question_id} by {self.release_id}"
