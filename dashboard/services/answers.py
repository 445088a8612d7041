"""The bot's answers as people on Discord point at them: by message, by button, or as the latest."""

from collections.abc import Collection

from django.db.models import QuerySet

from dashboard.models import Message, Source
from trainerbot.errors import NotFound

NOT_FOUND = "Message not found."
NEWEST_SNOWFLAKE = 2**63 - 1
# The further messages of a long answer follow its first one within this time.
PARTS_FOLLOW_WITHIN = (60 * 60 * 1000) << 22  # an hour, as a distance of Discord's ids
MOST_AT_ONCE = 50  # answers that begin in one channel while a long one is posted


def on_discord(channel_ids: Collection[int]) -> QuerySet[Message]:
    """The bot's logged answers in these channels, by Discord's own ids."""
    return Message.objects.filter(
        role=Message.Role.ASSISTANT,
        source=Source.DISCORD,
        conversation__discord_channel__discord_channel_id__in=channel_ids,
    ).select_related(
        "reply_to",
        "correction",
        "conversation__discord_user",
        "conversation__discord_channel__guild",
    )


def posted(discord_message_id: int, *, channel_ids: Collection[int]) -> Message:
    """The answer that one of Discord's messages carries, or a part of it.

    Raises NotFound for any other message: of somebody else, of another
    channel, never logged, or none at all.
    """
    if not 0 < discord_message_id <= NEWEST_SNOWFLAKE:
        raise NotFound(NOT_FOUND)
    found = carried(on_discord(channel_ids), discord_message_id)
    if found is None:
        raise NotFound(NOT_FOUND)
    return found


def carried(among: QuerySet[Message], discord_message_id: int) -> Message | None:
    """What one of Discord's messages carries, whole or a further part of it.

    By the index of Discord's ids alone: a part follows the first one soon.
    """
    found = among.filter(discord_message_id=discord_message_id).first()
    if found is not None:
        return found
    near = among.filter(
        discord_message_id__lt=discord_message_id,
        discord_message_id__gt=discord_message_id - PARTS_FOLLOW_WITHIN,
        role=Message.Role.ASSISTANT,
    ).order_by("-discord_message_id")
    for answer in near[:MOST_AT_ONCE]:
        if discord_message_id in answer.discord_parts:
            return answer
    return None


def to_question(question_id: int, *, channel_ids: Collection[int]) -> Message:
    """The answer to the question with this row id. Raises NotFound."""
    found = on_discord(channel_ids).filter(reply_to_id=question_id).order_by("-pk").first()
    if found is None:
        raise NotFound(NOT_FOUND)
    return found


def get(pk: int, *, channel_ids: Collection[int]) -> Message:
    """The answer with this row id. Raises NotFound for one of another channel."""
    found = on_discord(channel_ids).filter(pk=pk).first()
    if found is None:
        raise NotFound(NOT_FOUND)
    return found


def latest(*, discord_user_id: int, channel_ids: Collection[int]) -> Message:
    """What the bot last answered this person here, a failure too. Raises NotFound, in words."""
    answers = on_discord(channel_ids).filter(
        conversation__discord_user__discord_user_id=discord_user_id
    )
    found = answers.order_by("-pk").first()
    if found is None:
        raise NotFound(
            "I have not answered you here yet. Reply to the answer of mine that you mean."
        )
    return found
