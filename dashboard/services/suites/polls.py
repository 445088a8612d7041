"""The same blind votes on Discord: pairs of answers as polls, which the bot posts and counts.

Each poll is a row and two tasks of the bot's: to post it, and to count it when
its time is over. So it survives a bot that is killed, or away for days.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.timezone import now

from dashboard.models import (
    DiscordChannel,
    DiscordLink,
    SuiteAnswer,
    SuitePoll,
    SuiteRun,
    Task,
)
from dashboard.services import access, audit, outbox, tasks
from dashboard.services.access import Permission
from dashboard.services.suites import votes
from dashboard.services.suites.content import ERASED
from dashboard.services.suites.news import TOPIC
from trainerbot.errors import Conflict, InvalidInput, NotFound

POST: Final = "bot.poll"
COUNT: Final = "bot.count-poll"
DROP: Final = "bot.drop-poll"
HOURS: Final = (1, 4, 8, 24, 72, 168)
MOST: Final = 10  # polls at once: more would drown a channel
# Of question and answers together: with its own words and marks a message has room for 2,000.
MOST_CHARACTERS: Final = 1_400
MOST_LINES: Final = 40
LEAVE: Final = timedelta(seconds=20)  # until Discord has counted
TRIES: Final = 8_640  # every ten seconds, for a day
SHOWN: Final = 30
CLEAR, ALL = "clear", "all"
State = SuitePoll.State


@dataclass(frozen=True, slots=True)
class Posting:
    """All that the bot needs to post a poll. `a` and `b` are words."""

    poll: int
    channel_id: int
    guild_id: int | None
    hours: int
    question: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Told:
    """One poll, as a page shows it. `n` votes; the channel as people call it."""

    poll: SuitePoll
    channel: str
    n: int


def ask(
    run_a: SuiteRun,
    run_b: SuiteRun,
    *,
    channel_id: int,
    hours: int,
    n: int,
    only: str = CLEAR,
    key: uuid.UUID | None = None,
    actor: User,
) -> list[SuitePoll]:
    """Have the bot put up to `n` pairs of two runs to a channel. `channel_id` is our own row's.

    only: CLEAR for cases that one run alone has right, ALL for all that differ.
    key: of the form; sent again, it returns what was asked for and asks nothing more.
    Pairs that were asked there before, that do not fit into a message, or that
    go on from something said before are left out. Raises NotAllowed, NotFound,
    and InvalidInput, in words, where nothing is left to ask.
    """
    access.require(actor, Permission.SETTINGS)
    if hours not in HOURS:
        raise InvalidInput("Choose for how long people may vote.")
    if not 1 <= n <= MOST:
        raise InvalidInput(f"Ask 1 to {MOST} questions at once.")
    key = key or uuid.uuid4()
    channel = _channel(channel_id, run_a)
    with transaction.atomic():
        # Whoever sends the same form at the same moment waits here, and then finds the polls.
        DiscordChannel.objects.select_for_update().get(pk=channel.pk)
        if asked := _asked_by(key):
            return asked
        chosen = _chosen(run_a, run_b, channel, n=n, only=only)
        if not chosen:
            raise InvalidInput(
                "There is nothing to ask there: all was asked before, is too long for a message, "
                "or needs what was said before it. Vote here instead."
            )
        polls = [
            _submit(pair, channel, hours, actor, key=f"poll-{key}-{number}")
            for number, pair in enumerate(chosen)
        ]
        audit.record(
            actor,
            "suitepoll.ask",
            f"#{channel.name}",
            polls=len(polls),
            channel=channel.discord_channel_id,
        )
    return polls


def to_post(pk: int) -> Posting | None:
    """What to post; None where it was posted before, or nothing is to be posted any more."""
    poll = _rows().filter(pk=pk, state=State.WAITING).first()
    if poll is None:
        return None
    a, b = (poll.second, poll.first) if poll.is_swapped else (poll.first, poll.second)
    question = poll.first.case.question
    if ERASED in (question, a.answer, b.answer):
        failed(pk, "Its words were erased.")
        return None
    channel = (
        DiscordChannel.objects.filter(discord_channel_id=poll.discord_channel_id)
        .select_related("guild")
        .first()
    )
    return Posting(
        poll=pk,
        channel_id=poll.discord_channel_id,
        guild_id=channel.guild.discord_guild_id if channel and channel.guild else None,
        hours=poll.hours,
        question=question,
        a=a.answer,
        b=b.answer,
    )


@transaction.atomic
def posted(pk: int, *, message_id: int, ends_at: datetime) -> bool:
    """Remember where it stands, and count it when it is over. False if its words went meanwhile."""
    moved = SuitePoll.objects.filter(pk=pk, state=State.WAITING).update(
        state=State.OPEN, discord_message_id=message_id, ends_at=ends_at
    )
    if not moved:
        # It was withdrawn while it was on its way, or this is a second try.
        poll = SuitePoll.objects.get(pk=pk)
        if poll.state == State.FAILED:
            SuitePoll.objects.filter(pk=pk).update(discord_message_id=message_id)
            _drop(pk)
        return poll.state == State.OPEN
    _count(pk, at=ends_at + LEAVE)
    outbox.publish(TOPIC, "suitepoll.posted", id=pk)
    return True


def to_count(pk: int) -> SuitePoll | None:
    """A poll that is open; None where it was counted before."""
    return _rows().filter(pk=pk, state=State.OPEN).first()


def asks_who() -> bool:
    """Whether it matters who voted: only where somebody here may have voted on a page, too."""
    return DiscordLink.objects.exists()


def count_later(pk: int) -> None:
    """Look again: Discord has not counted yet."""
    _count(pk, at=now() + LEAVE)


@transaction.atomic
def end_now(pk: int, *, actor: User) -> None:
    """Have the bot end an open poll before its time. Raises NotAllowed and Conflict."""
    access.require(actor, Permission.SETTINGS)
    if to_count(pk) is None:
        raise Conflict("This poll is not open.")
    audit.record(actor, "suitepoll.end", f"poll {pk}")
    tasks.submit(COUNT, args={"poll": pk, "end": True}, max_attempts=TRIES)


@transaction.atomic
def failed(pk: int, why: str) -> None:
    """Say in words why there will be no votes, unless it is over."""
    waiting = SuitePoll.objects.filter(pk=pk, state__in=(State.WAITING, State.OPEN))
    if waiting.update(state=State.FAILED, error=why):
        outbox.publish(TOPIC, "suitepoll.failed", id=pk)


@transaction.atomic
def withdraw(answers: QuerySet[SuiteAnswer]) -> None:
    """Take these answers off Discord: their words were erased. Votes are numbers, and stay."""
    about = SuitePoll.objects.filter(
        Q(first__in=answers.values("pk")) | Q(second__in=answers.values("pk"))
    )
    for poll in about:
        failed(poll.pk, "Its words were erased.")
        if poll.discord_message_id is not None:
            _drop(poll.pk)


def message_of(pk: int) -> tuple[int, int] | None:
    """Discord's ids of the channel and the message of a poll; None where it was never posted."""
    poll = SuitePoll.objects.filter(pk=pk, discord_message_id__isnull=False).first()
    if poll is None or poll.discord_message_id is None:
        return None
    return poll.discord_channel_id, poll.discord_message_id


def of(run_a: SuiteRun, run_b: SuiteRun) -> list[Told]:
    """The newest polls on two runs, newest first."""
    pairs = Q(first__run=run_a, second__run=run_b) | Q(first__run=run_b, second__run=run_a)
    found = _rows().filter(pairs).annotate(n=Count("votes")).order_by("-pk")[:SHOWN]
    names = dict(
        DiscordChannel.objects.filter(
            discord_channel_id__in=[poll.discord_channel_id for poll in found]
        ).values_list("discord_channel_id", "name")
    )
    return [Told(poll, names.get(poll.discord_channel_id, ""), poll.n) for poll in found]


def _rows() -> QuerySet[SuitePoll]:
    return SuitePoll.objects.select_related("first__case", "second")


def _channel(pk: int, run: SuiteRun) -> DiscordChannel:
    channel = (
        DiscordChannel.objects.filter(pk=pk, guild__isnull=False, gone_at=None)
        .select_related("guild")
        .first()
    )
    if channel is None:
        raise NotFound("That channel is no longer there. Choose another one.")
    belongs_to = run.version.suite.guild
    if belongs_to is not None and channel.guild != belongs_to:
        raise InvalidInput(
            f"These questions belong to {belongs_to} alone. Choose a channel of that server."
        )
    return channel


def _chosen(
    run_a: SuiteRun, run_b: SuiteRun, channel: DiscordChannel, *, n: int, only: str
) -> Sequence[tuple[int, int]]:
    """The ids of the answers of each pair, the older one first."""
    asked = set(
        SuitePoll.objects.filter(discord_channel_id=channel.discord_channel_id)
        .exclude(state=State.FAILED)
        .values_list("first", "second")
    )
    rows = votes.pairs(run_a, run_b).select_related("case")
    theirs = {answer.position: answer for answer in run_b.answers.filter(error="")}
    found: list[tuple[int, int]] = []
    for ours in rows.iterator(chunk_size=200):
        other = theirs[ours.position]
        first, second = sorted((ours.pk, other.pk))
        if (first, second) in asked or (only == CLEAR and ours.is_right == other.is_right):
            continue
        if not _fits(ours, other):
            continue
        found.append((first, second))
        if len(found) == n:
            break
    return found


def _fits(ours: SuiteAnswer, other: SuiteAnswer) -> bool:
    words = (ours.case.question, ours.answer, other.answer)
    return (
        not ours.case.history
        and all(each.strip() and each != ERASED for each in words)
        and sum(map(len, words)) <= MOST_CHARACTERS
        and sum(each.count("\n") for each in words) <= MOST_LINES
        and ours.case.guild_id in (None, ours.run.version.suite.guild_id)
    )


def _asked_by(key: uuid.UUID) -> list[SuitePoll]:
    """The polls that a form has asked for before."""
    keys = [f"poll-{key}-{number}" for number in range(MOST)]
    found = Task.objects.filter(idempotency_key__in=keys).values_list("args", flat=True)
    return list(SuitePoll.objects.filter(pk__in=[args["poll"] for args in found]).order_by("pk"))


def _submit(
    pair: tuple[int, int], channel: DiscordChannel, hours: int, actor: User, *, key: str
) -> SuitePoll:
    first, second = pair
    poll = SuitePoll.objects.create(
        first_id=first,
        second_id=second,
        # As a channel sees them: always the same way, and another way elsewhere.
        is_swapped=votes.is_swapped(first, second, f"channel {channel.discord_channel_id}"),
        discord_channel_id=channel.discord_channel_id,
        hours=hours,
        ends_at=now() + timedelta(hours=hours),
        asked_by=actor.get_username(),
    )
    tasks.submit(POST, args={"poll": poll.pk}, key=key, max_attempts=TRIES)
    return poll


def _count(pk: int, *, at: datetime) -> None:
    tasks.submit(COUNT, args={"poll": pk}, run_at=at, max_attempts=TRIES)


def _drop(pk: int) -> None:
    tasks.submit(DROP, args={"poll": pk}, key=f"drop-poll-{pk}", max_attempts=TRIES)
