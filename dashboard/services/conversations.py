"""Conversations and their messages: opened, logged, read back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.timezone import now

from dashboard.models import (
    Conversation,
    Correction,
    DiscordChannel,
    DiscordGuild,
    DiscordUser,
    Message,
    Source,
)
from dashboard.services import access, outbox, storage
from dashboard.services.access import Permission
from trainerbot.errors import InvalidInput, NotAllowed, NotFound
from trainerbot.messages import ChatMessage, Role

if TYPE_CHECKING:
    from trainerbot.conversation.turn import Finished

HISTORY_MESSAGES = 40
MOST_OPEN = 500  # a process that is killed was not answering more
STOPPED = "The system was stopped while it was answering. Ask again."
MAX_QUESTION_CHARACTERS = 32_000
TOPIC = "conversations"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was logged.

    text: the words, also of a correction, verbatim.
    correction_id: the correction whose own words these are, or None.
    example_ids: corrections shown to the model, best first.
    """

    message_id: int
    text: str
    model: str
    correction_id: int | None
    example_ids: tuple[int, ...]
    total_ms: int


def visible_to(user: User) -> QuerySet[Conversation]:
    """Everybody's conversations for those who may see them, else one's own."""
    rows = Conversation.objects.select_related("user", "discord_user", "discord_channel__guild")
    return rows if access.can(user, Permission.VIEW) else rows.filter(user=user)


def get(pk: int, *, user: User) -> Conversation:
    conversation = visible_to(user).filter(pk=pk).first()
    if conversation is None:
        raise NotFound("There is no such conversation.")
    return conversation


def get_answer(pk: int, *, user: User) -> Message:
    """One answer of the bot, of a conversation that `user` may see.

    Raises NotFound for somebody else's, and for a message that is no answer.
    """
    message = (
        Message.objects.filter(role=Message.Role.ASSISTANT, conversation__in=visible_to(user))
        .select_related("conversation", "reply_to", "correction")
        .filter(pk=pk)
        .first()
    )
    if message is None:
        raise NotFound("There is no such answer.")
    return message


def own(pk: int, *, user: User) -> Conversation:
    """A Playground conversation that `user` may go on with.

    Raises NotAllowed for what they may read but did not begin there.
    """
    conversation = get(pk, user=user)
    if conversation.user_id != user.pk or conversation.source != Source.PLAYGROUND:
        raise NotAllowed("This conversation is not yours to go on with. Start a new one.")
    return conversation


def start(*, source: str, user: User | None = None) -> Conversation:
    """Begin an empty conversation in the Playground, or for a command."""
    return Conversation.objects.create(source=source, user=user)


@transaction.atomic
def for_discord(
    *,
    guild_id: int | None,
    guild_name: str,
    channel_id: int,
    channel_name: str,
    discord_user_id: int,
    user_name: str,
) -> Conversation:
    """The one conversation of this user in this channel; direct messages have no guild."""
    person, _ = DiscordUser.objects.update_or_create(
        discord_user_id=discord_user_id, defaults={"name": user_name[:100]}
    )
    guild = None
    if guild_id is not None:
        guild, _ = DiscordGuild.objects.update_or_create(
            discord_guild_id=guild_id, defaults={"name": guild_name[:100]}
        )
    channel, _ = DiscordChannel.objects.update_or_create(
        discord_channel_id=channel_id, defaults={"name": channel_name[:100], "guild": guild}
    )
    conversation, _ = Conversation.objects.get_or_create(
        discord_channel=channel, discord_user=person, defaults={"source": Source.DISCORD}
    )
    return conversation


def history(conversation: Conversation, *, before: Message) -> list[ChatMessage]:
    """What was said before `before`, oldest first; failed answers left out with their questions.

    And what the person wanted forgotten: `Conversation.forgotten_before`.
    """
    newest = (
        conversation.messages.filter(
            pk__lt=before.pk,
            role=Message.Role.ASSISTANT,
            reply_to__gte=conversation.forgotten_before,
            error="",
        )
        .order_by("-pk")
        .values_list("reply_to__content", "content")[: HISTORY_MESSAGES // 2]
    )
    said: list[ChatMessage] = []
    for question, answer in reversed(newest):
        said += [ChatMessage(Role.USER, question), ChatMessage(Role.ASSISTANT, answer)]
    return said


@transaction.atomic
def forget(*, discord_user_id: int, channel_ids: Collection[int]) -> int:
    """Let no later turn of this person see what was said here; how many messages that is.

    The log keeps them, for those who may read it.
    """
    theirs = Conversation.objects.filter(
        discord_user__discord_user_id=discord_user_id,
        discord_channel__discord_channel_id__in=channel_ids,
    )
    remembered = Message.objects.filter(
        conversation__in=theirs, pk__gte=F("conversation__forgotten_before")
    )
    n_messages = remembered.count()
    newest = Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    theirs.update(forgotten_before=newest + 1)
    return n_messages


def check_question(text: str) -> None:
    """Raise InvalidInput for a question that is empty, over-long or not storable as text."""
    if not text.strip():
        raise InvalidInput("The message is empty. Write what you want to know.")
    if len(text) > MAX_QUESTION_CHARACTERS:
        raise InvalidInput(
            f"The message has {len(text):,} characters; {MAX_QUESTION_CHARACTERS:,} is the most."
        )
    if not storage.holds(text):
        raise InvalidInput("The message holds characters that are no text. Remove them.")


@transaction.atomic
def log_question(
    *, conversation: Conversation, text: str, discord_message_id: int | None = None
) -> Message:
    """Store what was asked, before anything else is done with it.

    Raises InvalidInput for an empty or over-long question.
    """
    check_question(text)
    message = Message.objects.create(
        conversation=conversation,
        role=Message.Role.USER,
        content=text,
        source=conversation.source,
        discord_message_id=discord_message_id,
    )
    _touch(conversation, title=text)
    return message


@transaction.atomic
def log_answer(*, question: Message, finished: Finished) -> Answer:
    """Store an answer with how it came about, and count the corrections that took part."""
    conversation = question.conversation
    message = Message.objects.create(
        conversation=conversation,
        role=Message.Role.ASSISTANT,
        content=finished.text,
        source=conversation.source,
        reply_to=question,
        model=finished.model,
        correction_id=finished.correction_id,
        example_ids=list(finished.example_ids),
        prompt_tokens=finished.usage.prompt_tokens,
        completion_tokens=finished.usage.completion_tokens,
        first_token_ms=finished.first_token_ms,
        total_ms=finished.total_ms,
        fingerprint=finished.system_fingerprint or "",
    )
    moment = now()
    if finished.correction_id is not None:
        Correction.objects.filter(pk=finished.correction_id).update(
            n_fired=F("n_fired") + 1, last_fired_at=moment
        )
    if finished.example_ids:
        Correction.objects.filter(pk__in=finished.example_ids).update(
            n_shown=F("n_shown") + 1, last_fired_at=moment
        )
    _touch(conversation)
    return Answer(
        message_id=message.pk,
        text=message.content,
        model=message.model,
        correction_id=finished.correction_id,
        example_ids=tuple(finished.example_ids),
        total_ms=finished.total_ms,
    )


@transaction.atomic
def log_failure(*, question: Message, model: str, error: str, partial: str = "") -> Message:
    """Store that there was no answer, and why, in the words the asker saw."""
    message = Message.objects.create(
        conversation=question.conversation,
        role=Message.Role.ASSISTANT,
        content=partial,
        source=question.source,
        reply_to=question,
        model=model,
        error=error,
    )
    _touch(question.conversation)
    return message


@transaction.atomic
def close_unanswered(source: str) -> int:
    """Log why each open question of `source` has no answer; how many there were.

    For the one process that answers there, before it takes the first
    question: what is open then was left by one that was killed.
    """
    questions = Message.objects.filter(role=Message.Role.USER, source=source).order_by("-pk")
    newest = list(questions.select_related("conversation")[:MOST_OPEN])
    answered = set(
        Message.objects.filter(reply_to__in=newest).values_list("reply_to_id", flat=True)
    )
    left = [question for question in newest if question.pk not in answered]
    for question in left:
        log_failure(question=question, model="", error=STOPPED)
    return len(left)


def link_discord_reply(*, message_id: int, discord_message_id: int) -> None:
    """Remember which Discord message carries the answer `message_id`."""
    Message.objects.filter(pk=message_id).update(discord_message_id=discord_message_id)


def _touch(conversation: Conversation, *, title: str = "") -> None:
    rows = Conversation.objects.filter(pk=conversation.pk)
    rows.update(last_message_at=now())
    if title:
        # Asked of the row: of two questions at once only the first may name it.
        rows.filter(title="").update(title=" ".join(title.split())[:120])
    outbox.publish(TOPIC, "conversation.changed", id=conversation.pk)
