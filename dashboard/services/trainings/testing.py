"""What a trained model is put to: the corrections in force there, those held out, general suites."""

from collections.abc import Iterator
from typing import Final

from django.db.models import Q

from dashboard.models import (
    DiscordGuild,
    FineTuneJob,
    Judge,
    Lesson,
    Suite,
    SuiteVersion,
    Training,
)
from dashboard.services import suites
from dashboard.services.suites.content import Content, make_version
from dashboard.services.trainings import offers, picking
from dashboard.services.verdicts.asking import MOST_SUITES

MOST_HELD_OUT: Final = 500


def tests(training: Training) -> list[SuiteVersion]:
    """All of them, each in the version of now. No row that was learned is among the held-out ones."""
    scope = picking.Scope(training.scope, training.guild)
    guilds: list[DiscordGuild | None] = [None]
    if scope.guild is not None:
        guilds.append(scope.guild)
    elif scope.value == picking.ALL:
        own = scope.corrections().exclude(guild=None).order_by().values("guild").distinct()
        guilds += DiscordGuild.objects.filter(pk__in=own, left_at=None).order_by("pk")[:MOST_SUITES]
    taught = [
        suites.corrections_suite(guild, actor=training.created_by)
        for guild in guilds
        if suites.corrections_in_force(guild).exists()
    ]
    held_out = _held_out(training)
    return taught + ([held_out] if held_out else []) + offers.chosen_suites(training.suite_ids)


def tests_of(job: FineTuneJob) -> list[SuiteVersion]:
    """What the training that a job belongs to is put to; nothing for a job of its own."""
    of_it = Training.objects.filter(Q(job=job) | Q(preference_job=job))
    training = of_it.select_related("guild", "version", "created_by").order_by("-pk").first()
    return tests(training) if training is not None else []


def _held_out(training: Training) -> SuiteVersion | None:
    """The corrections that were kept for the test, as a suite of their own."""
    contents = list(_contents(training))
    if not contents:
        return None
    where = "" if training.scope == picking.EVERYWHERE else f" ({training.scope})"
    suite, _ = Suite.objects.get_or_create(
        name=f"{offers.HELD_OUT}{where}",
        defaults={
            "kind": Suite.Kind.SPLIT,
            "guild": training.guild,
            "created_by": training.created_by,
        },
    )
    return make_version(
        suite, contents, actor=training.created_by, source=training.version, part="test"
    )


def _contents(training: Training) -> Iterator[Content]:
    lessons = Lesson.objects.filter(training=training, use=Lesson.Use.HELD_OUT)
    for lesson in lessons.select_related("correction").order_by("pk")[:MOST_HELD_OUT]:
        row = lesson.correction
        if row is not None:
            yield Content(
                question=row.question,
                expected=row.better_answer,
                rejected=row.rejected_answer,
                judge=Judge.TAUGHT.value,
                correction_id=row.pk,
                guild_id=row.guild_id,
                channel_id=row.channel_id,
            )
