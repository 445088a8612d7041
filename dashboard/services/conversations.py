"""Conversations and their messages: opened, logged, read back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils.timezone import now

from dashboard.models import (
    Conversation,
    DiscordChannel,
    DiscordGuild,
    DiscordUser,
    Message,
    Source,
)
from dashboard.services import access, budgets, outbox, storage
from dashboard.services.access import Permission
from dashboard.services.inserting import Insert
from dashboard.services.statements import Statement
from trainerbot.errors import Conflict, InvalidInput, NotAllowed, NotFound

if TYPE_CHECKING:
    from dashboard.services.places import Rules
    from trainerbot.conversation.turn import Finished

MAX_QUESTION_CHARACTERS = 32_000
TOPIC = "conversations"


class AlreadyLogged(Conflict):
    """This very Discord message was logged before; it is answered, or is being answered."""


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
        .select_related("conversation", "reply_to__utterance", "correction")
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


def for_discord(
    *,
    guild_id: int | None,
    guild_name: str,
    channel_id: int,
    channel_name: str,
    discord_user_id: int,
    user_name: str,
    parent_id: int | None = None,
    parent_name: str = "",
) -> Conversation:
    """The one conversation of this user in this channel; direct messages have no guild.

    parent_id: the channel that a thread belongs to.
    """
    known = (
        Conversation.objects.select_related("discord_user", "discord_channel__guild")
        .filter(
            discord_channel__discord_channel_id=channel_id,
            discord_user__discord_user_id=discord_user_id,
        )
        .first()
    )
    if known is not None and known.discord_user and known.discord_channel:
        guild = known.discord_channel.guild
        names = known.discord_user.name, known.discord_channel.name, guild and guild.name
        if names == (user_name[:100], channel_name[:100], guild and guild_name[:100]):
            return known
    return _met(
        guild=(guild_id, guild_name) if guild_id is not None else None,
        channel=(channel_id, channel_name),
        parent=(parent_id, parent_name) if parent_id is not None else None,
        who=(discord_user_id, user_name),
    )


@transaction.atomic
def _met(
    *,
    guild: tuple[int, str] | None,
    channel: tuple[int, str],
    parent: tuple[int, str] | None,
    who: tuple[int, str],
) -> Conversation:
    """Write down who and where, by Discord's ids and with the names of now."""
    person, _ = DiscordUser.objects.update_or_create(
        discord_user_id=who[0], defaults={"name": who[1][:100]}
    )
    server = above = None
    if guild is not None:
        server, _ = DiscordGuild.objects.update_or_create(
            discord_guild_id=guild[0], defaults={"name": guild[1][:100]}
        )
    if parent is not None:
        # Discord does not always tell the name of a thread's channel.
        named = {"name": parent[1][:100]} if parent[1] else {}
        above, _ = DiscordChannel.objects.update_or_create(
            discord_channel_id=parent[0], defaults={**named, "guild": server}
        )
    where, _ = DiscordChannel.objects.update_or_create(
        discord_channel_id=channel[0],
        defaults={"name": channel[1][:100], "guild": server, "parent": above},
    )
    talk, _ = Conversation.objects.get_or_create(
        discord_channel=where, discord_user=person, defaults={"source": Source.DISCORD}
    )
    return talk


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


def check_question(text: str, *, may_be_empty: bool = False) -> None:
    """Raise InvalidInput for a question that is empty, over-long or not storable as text."""
    if not text.strip() and not may_be_empty:
        raise InvalidInput("The message is empty. Write what you want to know.")
    if len(text) > MAX_QUESTION_CHARACTERS:
        raise InvalidInput(
            f"The message has {len(text):,} characters; {MAX_QUESTION_CHARACTERS:,} is the most."
        )
    storage.check_text(text, what="The message")


def log_question(
    *,
    conversation: Conversation,
    text: str,
    discord_message_id: int | None = None,
    reply_to_id: int | None = None,
    attachments: Sequence[dict[str, Any]] = (),
    release_id: int | None = None,
) -> Message:
    """Store what was asked, before anything else is done with it.

    reply_to_id: our id of the answer that it is about. release_id: of the release that is to answer.
    Raises InvalidInput for an empty or over-long question, and AlreadyLogged
    for one that came before.
    """
    check_question(text, may_be_empty=bool(attachments))
    message = Message(
        conversation=conversation,
        role=Message.Role.USER,
        content=text,
        source=conversation.source,
        discord_message_id=discord_message_id,
        reply_to_id=reply_to_id,
        attachments=list(attachments),
        release_id=release_id,
    )
    # Without savepoints: each would be two more statements, and what fails here fails as a whole.
    with transaction.atomic(savepoint=False):
        if not _insert(message):
            raise AlreadyLogged("This message is in the log already.")
        _touch(conversation, title=text or "(attachment)")
    return message


@transaction.atomic(savepoint=False)
def log_answer(
    *,
    question: Message,
    finished: Finished,
    discord_message_ids: Sequence[int] = (),
    rules: Rules | None = None,
    error: str = "",
) -> Answer:
    """Store an answer with how it came about and what it cost; count the corrections in it.

    discord_message_ids: of the messages that carry it, in order. rules: those
    in force, if the caller has them at hand. error: why nobody got to read it.
    """
    conversation = question.conversation
    message = Message(
        conversation=conversation,
        role=Message.Role.ASSISTANT,
        content=finished.text,
        source=conversation.source,
        reply_to=question,
        model=finished.model,
        error=error,
        correction_id=finished.correction_id,
        example_ids=list(finished.example_ids),
        prompt_tokens=finished.usage.prompt_tokens,
        completion_tokens=finished.usage.completion_tokens,
        first_token_ms=finished.first_token_ms,
        total_ms=finished.total_ms,
        fingerprint=finished.system_fingerprint or "",
        discord_message_id=next(iter(discord_message_ids), None),
        discord_parts=list(discord_message_ids[1:]),
    )
    budgets.charge(answer=message, rules=rules)
    if not _insert(message):
        raise AlreadyLogged("This answer is in the log already.")
    if finished.correction_id is not None:
        _FIRED.n_changed(_moment(), finished.correction_id)
    for example_id in finished.example_ids:
        _SHOWN.n_changed(_moment(), example_id)
    # When it was last spoken in, the question has told.
    outbox.publish(TOPIC, "conversation.changed", id=conversation.pk)
    return Answer(
        message_id=message.pk,
        text=message.content,
        model=message.model,
        correction_id=finished.correction_id,
        example_ids=tuple(finished.example_ids),
        total_ms=finished.total_ms,
    )


@transaction.atomic
def log_failure(
    *,
    question: Message,
    model: str,
    error: str,
    partial: str = "",
    discord_message_ids: Sequence[int] = (),
) -> Message:
    """Store that there was no answer, and why, in the words the asker saw."""
    message = Message.objects.create(
        conversation=question.conversation,
        role=Message.Role.ASSISTANT,
        content=storage.storable(partial),
        source=question.source,
        reply_to=question,
        model=model,
        error=storage.storable(error),
        discord_message_id=next(iter(discord_message_ids), None),
        discord_parts=list(discord_message_ids[1:]),
    )
    _touch(question.conversation)
    return message


_insert = Insert(Message, unless_taken="discord_message_id")

_FIRED = Statement("""
    UPDATE dashboard_correction SET n_fired = n_fired + 1, last_fired_at = %s WHERE id = %s
""")
_SHOWN = Statement("""
    UPDATE dashboard_correction SET n_shown = n_shown + 1, last_fired_at = %s WHERE id = %s
""")
_TOUCH = Statement("""
    UPDATE dashboard_conversation
    SET last_message_at = %s, title = CASE WHEN title = '' THEN %s ELSE title END
    WHERE id = %s
""")


def _touch(conversation: Conversation, *, title: str = "") -> None:
    # The title is asked of the row: of two questions at once only the first may name it.
    _TOUCH.n_changed(_moment(), " ".join(title[:1_000].split())[:120], conversation.pk)
    outbox.publish(TOPIC, "conversation.changed", id=conversation.pk)


def _moment() -> Any:
    """Now, as the database's driver takes it."""
    return connection.ops.adapt_datetimefield_value(now())
