"""What a process that was stopped or killed left behind, for the next one to take up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils.timezone import now

from dashboard.models import DiscordChannel, Message, OpenInteraction
from dashboard.services.conversations import log_failure

ANSWERABLE = timedelta(minutes=14)  # by Discord fifteen, less what a start takes
MOST_OPEN = 500  # a process that is killed was not answering more
STOPPED = "The system was stopped while it was answering. Ask again."


def open_questions(source: str, *, before: datetime | None = None) -> list[Message]:
    """The questions of `source` without an answer and without a word why, oldest first.

    For the one process that answers there, before it takes the first
    question: what is open then was left by one that was killed.
    before: leave out those that were asked later.
    """
    questions = Message.objects.filter(role=Message.Role.USER, source=source).order_by("-pk")
    if before is not None:
        questions = questions.filter(created_at__lt=before)
    newest = list(
        questions.select_related(
            "conversation__discord_channel__guild", "conversation__discord_user"
        )[:MOST_OPEN]
    )
    answered = set(
        Message.objects.filter(reply_to__in=newest, role=Message.Role.ASSISTANT).values_list(
            "reply_to_id", flat=True
        )
    )
    return [question for question in reversed(newest) if question.pk not in answered]


@transaction.atomic
def close_unanswered(source: str, *, before: datetime | None = None) -> int:
    """Log why each open question of `source` has no answer; how many there were.

    before: leave those that were asked later.
    """
    left = open_questions(source, before=before)
    for question in left:
        log_failure(question=question, model="", error=STOPPED)
    return len(left)


def note_begun(*, question_id: int, discord_message_id: int) -> None:
    """Remember in which Discord message the answer to a question has begun."""
    Message.objects.filter(pk=question_id).update(begun_discord_message_id=discord_message_id)


def note_asked(*, question_id: int, discord_message_id: int) -> None:
    """Remember which Discord message shows a question that was spoken."""
    Message.objects.filter(pk=question_id).update(discord_message_id=discord_message_id)


@transaction.atomic
def keep_open(*, question_id: int, sealed: bytes) -> None:
    """Remember, sealed, with what a slash command is answered; nothing of it once that is over."""
    OpenInteraction.objects.filter(expires_at__lte=now()).delete()
    OpenInteraction.objects.update_or_create(
        question_id=question_id, defaults={"sealed": sealed, "expires_at": now() + ANSWERABLE}
    )


def still_open(question_id: int) -> bytes | None:
    """With what the slash command of a question may still be answered, sealed; None if it may not."""
    theirs = OpenInteraction.objects.filter(question=question_id, expires_at__gt=now())
    sealed = theirs.values_list("sealed", flat=True).first()
    return bytes(sealed) if sealed is not None else None  # PostgreSQL has a memoryview


def open_among(question_ids: Collection[int]) -> set[int]:
    """Which of these questions came by a slash command that may still be answered."""
    theirs = OpenInteraction.objects.filter(question__in=question_ids, expires_at__gt=now())
    return set(theirs.values_list("question_id", flat=True))


def prune() -> int:
    """Forget with what slash commands were answered that may not be any more; how many."""
    return OpenInteraction.objects.filter(expires_at__lte=now()).delete()[0]


@dataclass(frozen=True, slots=True)
class RecentPlace:
    """A channel in which the bot was spoken to, by Discord's ids; guild_id None: directly."""

    guild_id: int | None
    channel_id: int


def recent_places(since: datetime, *, most: int = 50) -> list[RecentPlace]:
    """Where on Discord the bot was spoken to since then, the newest first."""
    places = (
        DiscordChannel.objects.filter(conversations__last_message_at__gte=since)
        .annotate(newest=Max("conversations__last_message_at"))
        .order_by("-newest")
    )
    return [
        RecentPlace(guild_id, channel_id)
        for guild_id, channel_id in places.values_list(
            "guild__discord_guild_id", "discord_channel_id"
        )[:most]
    ]


def logged_among(discord_message_ids: Collection[int]) -> set[int]:
    """Which of these messages of Discord are in the log."""
    logged = Message.objects.filter(discord_message_id__in=discord_message_ids)
    return {pk for pk in logged.values_list("discord_message_id", flat=True) if pk is not None}
