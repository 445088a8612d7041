"""The suites of approved corrections: each that is heard is a test."""

from collections.abc import Iterator
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from dashboard.models import Correction, DiscordGuild, Judge, Suite, SuiteVersion
from dashboard.services import audit, outbox
from dashboard.services.access import Person
from dashboard.services.corrections import TOPIC
from dashboard.services.suites.content import Content, checked_args, make_version
from trainerbot.errors import InvalidInput
from trainerbot.retrieval import canonical

Actor = User | Person | None
NAME: Final = "Corrections"


def corrections_suite(guild: DiscordGuild | None = None, *, actor: Actor = None) -> SuiteVersion:
    """Return the version that tests all corrections in force now: everywhere, or a guild's own.

    A new one is made only if they changed since the last. Of corrections of
    one question at one place only the newest is tested, as only it is heard.
    Raises InvalidInput where none is in force.
    """
    contents = list(_contents(in_force(guild)))
    if not contents:
        where = f"for {guild} alone" if guild else "everywhere"
        raise InvalidInput(f"No correction is in force {where}, so there is nothing to test.")
    return make_version(_suite(guild), contents, actor=actor)


def in_force(guild: DiscordGuild | None) -> QuerySet[Correction]:
    """The approved corrections that count everywhere, or in one guild alone."""
    return Correction.objects.approved().filter(guild=guild)


@transaction.atomic
def set_judge(
    correction: Correction,
    *,
    judge: str,
    args: dict[str, object] | None = None,
    actor: Actor,
) -> Correction:
    """Say how a model's answer to this correction's question is tested.

    Counts from the suite's next version on. Raises InvalidInput, in words,
    for what that judge cannot use.
    """
    correction.judge_args = checked_args(judge, args or {}, expected=correction.better_answer)
    correction.judge = judge
    correction.save(update_fields=["judge", "judge_args", "updated_at"])
    audit.record(actor, "correction.judge", f"correction {correction.pk}", judge=judge)
    outbox.publish(TOPIC, "correction.changed", id=correction.pk, state=correction.state)
    return correction


def _suite(guild: DiscordGuild | None) -> Suite:
    # Its number, so that two guilds of one name have two suites.
    name = f"{NAME} of {guild.name[:80]} ({guild.pk})" if guild else NAME
    suite, _ = Suite.objects.get_or_create(
        kind=Suite.Kind.CORRECTIONS, guild=guild, defaults={"name": name}
    )
    return suite


def _contents(rows: QuerySet[Correction]) -> Iterator[Content]:
    heard: dict[object, Correction] = {}
    for row in rows.select_related("channel").order_by("pk").iterator(chunk_size=1_000):
        asked = canonical(row.question) or (row.question.strip(),)
        heard[(row.channel_id, asked)] = row
    for row in sorted(heard.values(), key=lambda each: each.pk):
        judge, args = _judge(row)
        yield Content(
            question=row.question,
            expected=row.better_answer,
            rejected=row.rejected_answer,
            judge=judge,
            judge_args=args,
            tags=[f"channel {row.channel.name}"[:50]] if row.channel else [],
            correction_id=row.pk,
            guild_id=row.guild_id,
            channel_id=row.channel_id,
        )


def _judge(row: Correction) -> tuple[str, dict[str, object]]:
    """How a correction is judged; as taught where its words no longer suit the judge it had."""
    try:
        return row.judge, checked_args(row.judge, row.judge_args, expected=row.better_answer)
    except InvalidInput:
        judge = Judge.TAUGHT.value
        return judge, checked_args(judge, {}, expected=row.better_answer)
