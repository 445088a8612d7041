"""A turn on Discord as two trips to the rows' thread: one before the model is asked, one after.

Each is one transaction. What it reads is kept while nobody else writes, and
its rows are written by statements made once, since a message should not wait
longer for its log than for its answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction

from dashboard.models import Conversation, DiscordChannel, DiscordUser, Message, Utterance
from dashboard.services import (
    answers,
    budgets,
    conversations,
    recall,
    routing,
    speech,
    storage,
    utterances,
)
from dashboard.services.chat import kept, memory
from dashboard.services.chat.kept import Kept
from dashboard.services.chat.turns import Ready
from dashboard.services.conversations import AlreadyLogged, Answer
from dashboard.services.places import Place, Rules
from dashboard.services.utterances import Sound
from trainerbot.conversation import Finished, Recall, Recalled
from trainerbot.messages import ChatMessage, Image, Role


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on Discord and a person there, by Discord's own ids.

    guild_id: None in direct messages. parent_id: the channel of a thread.
    """

    guild_id: int | None
    guild_name: str
    channel_id: int
    channel_name: str
    discord_user_id: int
    user_name: str
    parent_id: int | None = None
    parent_name: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody said to the bot.

    discord_message_id: None for what was said in a call; the message that
    shows it comes later. reply_to_discord_id: of the message that theirs
    replies to. quoted: that one's words, for the case that it is not in our
    log. attachments: as `Message.attachments` keeps them. sound: what was
    heard, or why nothing was.
    """

    text: str
    discord_message_id: int | None
    reply_to_discord_id: int | None = None
    quoted: str = ""
    attachments: Sequence[dict[str, Any]] = ()
    images: tuple[Image, ...] = ()
    sound: Sound | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """Somebody whose sound may be listened to.

    language: in which they speak, and are spoken to. warning: to tell them beside the answer.
    """

    language: str
    warning: str


# --- Before the model is asked ------------------------------------------------------
def rules() -> Rules:
    """What is in force now."""
    with storage.failures_in_words(), transaction.atomic():
        return kept.current().rules


def admit(spot: Spot, permit: Callable[[Rules], Place]) -> Admitted:
    """Let somebody be listened to, or raise as `begin` does; nothing is logged yet.

    For what costs before there is a question: to make words of a sound.
    """
    with storage.failures_in_words():
        try:
            with transaction.atomic():
                now = kept.current()
                place = permit(now.rules)
                talk = seat(now, spot)
                person, channel = talk.discord_user, talk.discord_channel
                assert person is not None
                assert channel is not None  # as everybody on Discord has both
                admission = budgets.admit(guild=channel.guild, discord_user=person, rules=now.rules)
                kept.written(now)
        except DatabaseError:
            kept.forget()
            raise
        return Admitted(speech.language_for(person, place), admission.warning)


def begin(spot: Spot, asked: Asked, permit: Callable[[Rules], Place]) -> Ready | None:
    """Log a question and return all that is needed to answer it; None if it was logged before.

    permit: says how the bot behaves at the spot, or raises NotAllowed. Then,
    and when a budget is used up, nothing is logged.
    """
    return recalling(log(spot, asked, permit))


def log(spot: Spot, asked: Asked, permit: Callable[[Rules], Place]) -> tuple[Ready, Recall] | None:
    """The first half of `begin`: all of it that reads and writes rows."""
    with storage.failures_in_words():
        try:
            with transaction.atomic():
                # Within the transaction, where nobody else can write.
                now = kept.current()
                ready = _begin(now, spot, asked, permit(now.rules))
                kept.written(now)
        except AlreadyLogged:
            return None
        except DatabaseError:
            kept.forget()
            raise
    return ready, now.index


def foreseen(
    begun: Callable[[Spot, Asked, Callable[[Rules], Place]], Awaitable[Ready | None]],
) -> Callable[[Spot, Asked, Callable[[Rules], Place]], Awaitable[Ready | None]]:
    """Let it be asked what a question means before `begun` has its turn in the rows' thread."""

    async def begin(spot: Spot, asked: Asked, permit: Callable[[Rules], Place]) -> Ready | None:
        await recall.foresee(asked.text)
        return await begun(spot, asked, permit)

    return begin


def recalling(logged: tuple[Ready, Recall] | None) -> Ready | None:
    """The second half of `begin`: what is remembered about the question.

    Off the event loop as well, since to build the index takes longer than a
    loop may wait; and not within the transaction, where others wait to write.
    """
    if logged is None:
        return None
    ready, index = logged
    asked = ready.question.content
    if not asked.strip():
        return ready
    where = recall.place(ready.question.conversation.discord_channel)
    return replace(ready, recalled=index.recall(asked, where, asks=False))


def _begin(now: Kept, spot: Spot, asked: Asked, place: Place) -> Ready:
    talk = seat(now, spot)
    person, channel = talk.discord_user, talk.discord_channel
    assert person is not None
    assert channel is not None  # as everybody on Discord has both
    about = _about(channel, asked) if asked.reply_to_discord_id else None
    place = _routed(now, place, person)
    question = conversations.log_question(
        conversation=talk,
        text=asked.text,
        discord_message_id=asked.discord_message_id,
        reply_to_id=about,
        attachments=asked.attachments,
        release_id=place.release_id,
    )
    admission = budgets.admit(
        guild=channel.guild, discord_user=person, rules=now.rules, question=question
    )
    if admission.model and question.release_id is not None:
        # The cheaper model answers: what it says tells nothing of the release.
        question.release_id = None
        Message.objects.filter(pk=question.pk).update(release=None)
    utterance = None
    if asked.sound is not None:
        utterance = utterances.log_sound(question=question, person=person, sound=asked.sound)
    return Ready(
        question=question,
        history=_history(talk, channel, question, about, asked.quoted),
        place=replace(place, language=person.language or place.language),
        recalled=Recalled(),
        images=asked.images,
        warning=admission.warning,
        model=admission.model,
        utterance=utterance,
    )


def resume(
    question: Message, permit: Callable[[Rules], Place], images: tuple[Image, ...] = ()
) -> Ready:
    """Return what is needed to answer a logged question that has no answer yet."""
    with storage.failures_in_words(), transaction.atomic():
        now = kept.current()
        place = permit(now.rules)
        talk = question.conversation
        person, channel = talk.discord_user, talk.discord_channel
        assert person is not None
        assert channel is not None  # as everybody on Discord has both
        ready = Ready(
            question=question,
            history=_history(talk, channel, question, question.reply_to_id, ""),
            place=replace(_routed(now, place, person), language=person.language or place.language),
            recalled=Recalled(),
            images=images,
            utterance=Utterance.objects.filter(message=question, call=None).first(),
        )
    recalled = now.index.recall(question.content, recall.place(channel), asks=False)
    return replace(ready, recalled=recalled)


def again(question: Message, place: Place) -> Ready:
    """Return what is needed to put an answered question to another model, told the same as then.

    place: as the question was asked there, its own release set aside. What
    was taught or said since does not count but for corrections, which are as
    they are now. Pictures are not kept and do not come again.
    """
    talk = question.conversation
    person, channel = talk.discord_user, talk.discord_channel
    if channel is None:
        history = memory.of_conversation(talk.pk, before=question.pk)
    else:
        history = _history(talk, channel, question, question.reply_to_id, "")
    language = (person.language if person is not None else "") or place.language
    return Ready(
        question=question,
        history=history,
        place=replace(place, language=language),
        recalled=recall.current().recall(question.content, recall.place(channel)),
    )


def _routed(now: Kept, place: Place, person: DiscordUser) -> Place:
    who = f"discord:{person.discord_user_id}"
    return routing.route(place, aliases=now.rules.aliases, who=who)


def seat(now: Kept, spot: Spot) -> Conversation:
    """The one conversation of this person in this channel, with their rows."""
    key = spot.guild_id, spot.channel_id, spot.discord_user_id
    talk = now.seats.get(key)
    if talk is None:
        talk = now.seats[key] = conversations.for_discord(
            guild_id=spot.guild_id,
            guild_name=spot.guild_name,
            channel_id=spot.channel_id,
            channel_name=spot.channel_name,
            discord_user_id=spot.discord_user_id,
            user_name=spot.user_name,
            parent_id=spot.parent_id,
            parent_name=spot.parent_name,
        )
    return talk


def _about(channel: DiscordChannel, asked: Asked) -> int | None:
    """Our id of the answer that a reply is about, if it stands in this channel's log."""
    here = Message.objects.filter(conversation__discord_channel=channel)
    assert asked.reply_to_discord_id is not None  # as the caller saw
    found = answers.carried(here, asked.reply_to_discord_id)
    if found is not None and found.role == Message.Role.USER:
        replies = found.replies.filter(role=Message.Role.ASSISTANT, error="")
        found = replies.order_by("-pk").first()
    return found.pk if found else None


def _history(
    talk: Conversation,
    channel: DiscordChannel,
    question: Message,
    about: int | None,
    quoted: str,
) -> list[ChatMessage]:
    """What the model is told of before: the chain of replies, the thread, or the person's own talk."""
    if about is not None:
        return memory.of_chain(about)
    if channel.parent_id is not None:
        # A thread begins at a message that has the thread's own id.
        start = Message.objects.filter(
            discord_message_id=channel.discord_channel_id,
            conversation__discord_channel=channel.parent_id,
        ).first()
        before = memory.of_chain(start.pk) if start else []
        return before + memory.of_channel(channel.pk, before=question.pk)
    own = memory.of_conversation(talk.pk, before=question.pk)
    return [*own, ChatMessage(Role.USER, quoted)] if quoted.strip() else own


# --- Afterwards ---------------------------------------------------------------------
def finish(
    question: Message, finished: Finished, discord_message_ids: Sequence[int], *, error: str = ""
) -> Answer | None:
    """Log an answer with the Discord messages that carry it.

    error: why the asker did not get it, though it was made and cost what it
    did. None where the asker had everything about them erased meanwhile: then
    nothing is logged.
    """
    with storage.failures_in_words():
        try:
            with transaction.atomic():
                now = kept.current()
                answer = conversations.log_answer(
                    question=question,
                    finished=finished,
                    discord_message_ids=discord_message_ids,
                    rules=now.rules,
                    error=error,
                )
                if not error and finished.correction_id is None:
                    routing.note_shadow(question, rules=now.rules)
                kept.written(now)
        except IntegrityError:
            if _is_erased(question):
                return None
            raise
    return answer


def give_up(
    question: Message, *, model: str, error: str, partial: str, discord_message_ids: Sequence[int]
) -> Message | None:
    """Log that there was no answer, and why, in the words that the asker saw.

    None where the asker had everything about them erased meanwhile.
    """
    with storage.failures_in_words():
        try:
            return conversations.log_failure(
                question=question,
                model=model,
                error=error,
                partial=partial,
                discord_message_ids=discord_message_ids,
            )
        except IntegrityError:
            if _is_erased(question):
                return None
            raise


def _is_erased(question: Message) -> bool:
    return not Message.objects.filter(pk=question.pk).exists()
