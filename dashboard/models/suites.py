"""Suites of tests, their frozen versions, and what models answered to them."""

from typing import Any, Self

from django.conf import settings
from django.db import models

from dashboard.models.tasks import Task
from trainerbot.errors import Conflict


class Judge(models.TextChoices):
    """How an answer is compared with what was expected. The engine's `trainerbot.judging` does it."""

    TAUGHT = "taught", "As taught: its words with recall, nearly its words without"
    VERBATIM = "verbatim", "Its very words"
    CONTAINS = "contains", "Contains phrases"
    SIMILAR = "similar", "Similar words"
    LABEL = "label", "A label"
    MODEL = "model", "A judge model"


class Suite(models.Model):
    """Tests under one name. What is asked is in its versions."""

    class Kind(models.TextChoices):
        CORRECTIONS = "corrections", "Approved corrections"
        UPLOADED = "uploaded", "Uploaded"
        SPLIT = "split", "Held-out part of a dataset"

    name = models.CharField(max_length=120, unique=True, help_text="As shown in lists")
    kind = models.CharField(max_length=12, choices=Kind, help_text="Where its tests come from")
    guild = models.ForeignKey(
        "dashboard.DiscordGuild",
        null=True,
        # As its versions are kept: what a model was tested on shall not go silently.
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The guild whose questions these are; empty for everywhere",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who made it; empty for a command",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was made")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["guild"],
                condition=models.Q(kind="corrections", guild__isnull=False),
                name="suite_one_of_each_guild",
            ),
            models.UniqueConstraint(
                fields=["kind"],
                condition=models.Q(kind="corrections", guild__isnull=True),
                name="suite_one_of_everywhere",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def latest(self) -> "SuiteVersion | None":
        return self.versions.order_by("-number").first()


class SuiteVersion(models.Model):
    """One state of a suite, with all its cases. It is made whole and never changes.

    Two versions of one suite with the same `digest` do not exist: what did
    not change makes no new one.
    """

    suite = models.ForeignKey(
        Suite, on_delete=models.PROTECT, related_name="versions", help_text="Whose version it is"
    )
    number = models.PositiveIntegerField(help_text="Counts from 1 within the suite")
    digest = models.CharField(max_length=64, help_text="SHA-256 of its cases in order, hex")
    n_cases = models.PositiveIntegerField(help_text="How many cases it has")
    frozen_at = models.DateTimeField(
        auto_now_add=True, help_text="Since when nothing changes in it"
    )
    source = models.ForeignKey(
        "dashboard.DatasetVersion",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Whose held-out rows these are; empty for other kinds",
    )
    part = models.CharField(max_length=10, blank=True, help_text="Which part of its split")
    filename = models.CharField(max_length=255, blank=True, help_text="As it was uploaded")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who asked for it; empty for a command",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["suite", "number"], name="suiteversion_number_is_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(n_cases__gte=1), name="suiteversion_has_cases"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.suite} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Conflict(f"{self} never changes. A new version is made instead.")
        super().save(*args, **kwargs)


class SuiteCase(models.Model):
    """One question of a version, and how its answer is judged. It never changes.

    `digest` is that of all that is asked and expected, so the same case is
    known again in another version.
    """

    version = models.ForeignKey(
        SuiteVersion,
        on_delete=models.CASCADE,
        related_name="cases",
        db_index=False,
        help_text="Its version",
    )
    position = models.PositiveIntegerField(help_text="Order within the version, from 0")
    system = models.TextField(
        blank=True, help_text="What the model is told first; empty for the run's own words"
    )
    history = models.JSONField(
        default=list, help_text="What was said before, oldest first: [{role, content}]"
    )
    question = models.TextField(help_text="What is asked, verbatim")
    expected = models.TextField(blank=True, help_text="What is to be answered, verbatim")
    rejected = models.TextField(blank=True, help_text="An answer that is known to be wrong")
    judge = models.CharField(max_length=10, choices=Judge, help_text="How the answer is judged")
    judge_args = models.JSONField(
        default=dict, help_text="For its judge: {least}, {phrases}, {labels} or {rubric}"
    )
    tags = models.JSONField(default=list, help_text="Words that group cases in the results")
    correction = models.ForeignKey(
        "dashboard.Correction",
        null=True,
        on_delete=models.SET_NULL,
        related_name="cases",
        help_text="The correction that it tests",
    )
    guild = models.ForeignKey(
        "dashboard.DiscordGuild",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Where it is asked, for recall; empty for everywhere",
    )
    channel = models.ForeignKey(
        "dashboard.DiscordChannel",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The channel where it is asked, for recall",
    )
    example = models.ForeignKey(
        "dashboard.Example",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The held-out row that it was made of",
    )
    digest = models.CharField(max_length=64, help_text="SHA-256 of all that is asked, hex")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "position"], name="suitecase_position_is_unique"
            )
        ]

    def __str__(self) -> str:
        return f"Case {self.position} of {self.version}"


class SuiteRunQuerySet(models.QuerySet["SuiteRun"]):
    def finished(self) -> Self:
        """Those that asked all they had to ask."""
        return self.filter(task__state=Task.State.SUCCEEDED)


class SuiteRun(models.Model):
    """One model asked all cases of one version.

    How far it is, its `task` tells; only `services.suites` writes it. Counts
    and answers are written in one transaction, so they agree at any moment.
    """

    version = models.ForeignKey(
        SuiteVersion, on_delete=models.PROTECT, related_name="runs", help_text="What is asked"
    )
    task = models.OneToOneField(
        Task, on_delete=models.PROTECT, related_name="+", help_text="The work, and where it stands"
    )
    model = models.CharField(max_length=200, help_text="Who is asked")
    endpoint = models.CharField(max_length=200, help_text="Name of the endpoint that answers")
    with_recall = models.BooleanField(
        help_text="Whether approved corrections take part, as they do in a chat"
    )
    system_prompt = models.TextField(blank=True, help_text="What the model is told first")
    temperature = models.FloatField(
        default=0.0, null=True, help_text="0 to 2; empty for the model's default"
    )
    max_tokens = models.PositiveIntegerField(null=True, help_text="Longest answer, in tokens")
    judge_model = models.CharField(
        max_length=200, blank=True, help_text="Who judges by rubric; empty where nobody does"
    )
    judge_endpoint = models.CharField(
        max_length=200, blank=True, help_text="Name of the endpoint of the judge model"
    )
    n_cases = models.PositiveIntegerField(help_text="How many cases are to be asked")
    n_done = models.PositiveIntegerField(default=0, help_text="How many answers are stored")
    n_right = models.PositiveIntegerField(default=0, help_text="How many of them are right")
    n_judged = models.PositiveIntegerField(default=0, help_text="How many were judged at all")
    n_refused = models.PositiveIntegerField(
        default=0, help_text="How many questions the endpoint refused; they count as wrong"
    )
    prompt_tokens = models.PositiveBigIntegerField(default=0, help_text="Tokens read")
    completion_tokens = models.PositiveBigIntegerField(default=0, help_text="Tokens written")
    cost_usd = models.DecimalField(
        max_digits=14,
        decimal_places=6,
        null=True,
        help_text="US dollars of it all so far; empty where no price is known",
    )
    estimated_usd = models.DecimalField(
        max_digits=14,
        decimal_places=6,
        null=True,
        help_text="What it was expected to cost; empty where no price is known",
    )
    budget_usd = models.DecimalField(
        max_digits=14,
        decimal_places=6,
        null=True,
        help_text="US dollars after which it stops; empty for no limit",
    )
    scores = models.JSONField(
        null=True, help_text="What it came to: see services.suites.results; empty until then"
    )
    error = models.TextField(blank=True, help_text="Why it failed, or what it waits for, in words")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who asked for it; empty for a command",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was asked for")

    objects = SuiteRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(n_right__lte=models.F("n_judged"))
                & models.Q(n_judged__lte=models.F("n_done")),
                name="suiterun_right_are_judged",
            )
        ]

    def __str__(self) -> str:
        return f"Run {self.pk}: {self.model} on {self.version}"

    @property
    def status(self) -> str:
        """queued, running, succeeded, failed or cancelled."""
        return "queued" if self.task.state == Task.State.READY else self.task.state

    @property
    def is_finished(self) -> bool:
        return self.task.is_finished

    @property
    def percent(self) -> int:
        """How much of it is answered, rounded down."""
        return 100 * self.n_done // self.n_cases if self.n_cases else 100


class SuiteAnswer(models.Model):
    """What a model said to one case, and how that was judged. Kept before it is judged.

    `judged_by` is empty while the verdict is still to come; `is_right` and
    `score` are empty where nobody could tell.
    """

    run = models.ForeignKey(
        SuiteRun,
        on_delete=models.CASCADE,
        related_name="answers",
        db_index=False,
        help_text="The run it belongs to",
    )
    case = models.ForeignKey(
        SuiteCase, on_delete=models.PROTECT, related_name="answers", help_text="What was asked"
    )
    position = models.PositiveIntegerField(help_text="That case's, for lists in its order")
    answer = models.TextField(blank=True, help_text="The model's words, 32,000 characters of them")
    score = models.FloatField(null=True, help_text="How good it is, 0 to 1; empty if not judged")
    is_right = models.BooleanField(null=True, help_text="Whether it counts as right")
    judged_by = models.CharField(
        max_length=200, blank=True, help_text="Which judge, or which judge model; empty until then"
    )
    reason = models.TextField(blank=True, help_text="Why, in the judge's words")
    correction = models.ForeignKey(
        "dashboard.Correction",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The correction whose own words these are",
    )
    example_ids = models.JSONField(
        default=list, help_text="Ids of the corrections shown to the model, best first"
    )
    ms = models.PositiveIntegerField(help_text="How long the answer took")
    prompt_tokens = models.PositiveIntegerField(null=True, help_text="Tokens that the model read")
    completion_tokens = models.PositiveIntegerField(null=True, help_text="Tokens that it wrote")
    cost_usd = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, help_text="US dollars of answer and verdict"
    )
    error = models.TextField(blank=True, help_text="Why the endpoint refused it, in words")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="suiteanswer_is_given_once"),
            models.CheckConstraint(
                condition=models.Q(score__isnull=True) | models.Q(score__gte=0.0, score__lte=1.0),
                name="suiteanswer_score_is_a_share",
            ),
            models.CheckConstraint(
                condition=models.Q(is_right__isnull=True) | ~models.Q(judged_by=""),
                name="suiteanswer_right_is_judged",
            ),
        ]
        # What the pages filter by, and what a resumed run looks for.
        indexes = [
            models.Index(
                fields=["run", "position"],
                name="suiteanswer_wrong",
                condition=models.Q(is_right=False),
            ),
            models.Index(
                fields=["run", "position"],
                name="suiteanswer_unjudged",
                condition=models.Q(is_right__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"Answer {self.position} of run {self.run_id}"
