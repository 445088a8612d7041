"""Messages made ready to be shown, with what was thought of them and taught from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest

from dashboard.models import Conversation, Correction, Feedback, Message
from dashboard.services import access, corrections, paging
from dashboard.services.access import Permission
from dashboard.views.doors import reader

MESSAGES_A_PAGE = 60


@dataclass(frozen=True, slots=True)
class Shown:
    """One message with its surroundings.

    examples: the corrections that the model read, best first.
    linked: ids of those corrections around it that the reader may open.
    corrections: what people taught from it, oldest first.
    rating: the reader's own, -1, 0 or 1.
    words: feedback in words, for those who may see everybody's.
    """

    message: Message
    examples: Sequence[Correction | int]
    linked: frozenset[int]
    corrections: Sequence[Correction]
    rating: int
    n_up: int
    n_down: int
    words: Sequence[Feedback]

    @property
    def is_waiting(self) -> bool:
        return any(each.state == Correction.State.PROPOSED for each in self.corrections)


@dataclass(frozen=True, slots=True)
class Transcript:
    """One page of a conversation, oldest message first.

    earlier, later: page tokens, "" where there is nothing more.
    """

    shown: list[Shown]
    earlier: str
    later: str


def transcript(conversation: Conversation, request: HttpRequest) -> Transcript:
    """The newest messages, or those of the page that the address names."""
    messages = conversation.messages.select_related(
        "reply_to__utterance", "utterance", "correction", "conversation"
    )
    found = paging.page(
        messages,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        size=MESSAGES_A_PAGE,
    )
    return Transcript(
        shown=present(found.rows[::-1], reader(request)), earlier=found.after, later=found.before
    )


def present(messages: Sequence[Message], user: User) -> list[Shown]:
    """Three queries, however many messages."""
    taught: dict[int, list[Correction]] = {}
    for correction in Correction.objects.filter(message__in=messages).order_by("pk"):
        taught.setdefault(cast(int, correction.message_id), []).append(correction)
    wanted = {pk for message in messages for pk in _ids(message)}
    wanted.update(each.pk for several in taught.values() for each in several)
    open_to = {row.pk: row for row in corrections.visible_to(user).filter(pk__in=wanted)}
    sees_all = access.can(user, Permission.VIEW)
    thought: dict[int, list[Feedback]] = {}
    judged = Feedback.objects.filter(message__in=messages).order_by("pk")
    for feedback in judged.select_related("user", "discord_user"):
        thought.setdefault(feedback.message_id, []).append(feedback)
    return [
        Shown(
            message=message,
            examples=[open_to.get(pk, pk) for pk in message.example_ids],
            linked=frozenset(open_to),
            corrections=taught.get(message.pk, []),
            rating=next((f.rating for f in thought.get(message.pk, []) if f.user_id == user.pk), 0),
            n_up=_count(thought.get(message.pk, []), 1),
            n_down=_count(thought.get(message.pk, []), -1),
            words=[
                f for f in thought.get(message.pk, []) if f.text and (sees_all or f.user == user)
            ],
        )
        for message in messages
    ]


def _ids(message: Message) -> list[int]:
    return [*message.example_ids, *([message.correction_id] if message.correction_id else [])]


def _count(feedback: Sequence[Feedback], rating: int) -> int:
    return sum(1 for each in feedback if each.rating == rating)
