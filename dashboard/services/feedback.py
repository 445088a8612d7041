"""What people think of the bot's answers: a thumb, words, or both."""

from django.contrib.auth.models import User
from django.db import transaction

from dashboard.models import Feedback, Message
from dashboard.services import outbox, people, storage
from dashboard.services.access import Person
from dashboard.services.conversations import TOPIC
from trainerbot.curation import sentiment
from trainerbot.errors import InvalidInput

MAX_CHARACTERS = 4_000


@transaction.atomic
def give(
    *, message: Message, by: User | Person, rating: int | None = None, text: str | None = None
) -> Feedback:
    """Keep what a person thinks of an answer; what they say later replaces what they said before.

    rating: 1 for good, -1 for bad, 0 to take the thumb back, None to leave it.
    text: their own words, verbatim; None to leave those of before.
    Raises InvalidInput for words that are empty, too long or no text.
    """
    if message.role != Message.Role.ASSISTANT:
        raise InvalidInput("Only the bot's answers can be rated.")
    if rating not in (-1, 0, 1, None):
        raise InvalidInput("A rating is 1 (good), -1 (bad) or 0 (words only).")
    changes: dict[str, object] = {}
    if rating is not None:
        changes["rating"] = rating
    if text is not None:
        _check(text)
        changes |= {"text": text, "tone": sentiment.tone(text)}
    user = by.user if isinstance(by, Person) else by
    discord_user = people.on_discord(by) if isinstance(by, Person) else None
    feedback, _ = Feedback.objects.update_or_create(
        message=message, user=user, discord_user=discord_user, defaults=changes
    )
    outbox.publish(TOPIC, "conversation.changed", id=message.conversation_id)
    return feedback


@transaction.atomic
def take_back(*, message: Message, discord_user_id: int, rating: int) -> None:
    """Take a thumb of this kind back, if it is still there. Their words stay."""
    theirs = Feedback.objects.filter(
        message=message, discord_user__discord_user_id=discord_user_id, rating=rating
    )
    if theirs.update(rating=0):
        outbox.publish(TOPIC, "conversation.changed", id=message.conversation_id)


def _check(text: str) -> None:
    if not text.strip():
        raise InvalidInput("Write what you think of the answer.")
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput(
            f"Your words have {len(text):,} characters; {MAX_CHARACTERS:,} is the most."
        )
    storage.check_text(text, what="What you wrote")
