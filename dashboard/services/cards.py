"""What Discord must still be told of corrections: cards to review, answers to mend, reporters.

Each list is what is left to do, so a bot that was down meanwhile does it at
its start.
"""

from collections.abc import Collection

from django.utils.timezone import now

from dashboard.models import Correction, DiscordUser, Message
from dashboard.models.corrections import CorrectionQuerySet
from dashboard.services import corrections

State = Correction.State
AT_ONCE = 100
_REVIEW_CHANNEL = "message__conversation__discord_channel__guild__settings__review_channel"


def to_post(*, except_in: Collection[int] = ()) -> list[Correction]:
    """Proposals without a card whose guild has a review channel, oldest first.

    except_in: review channels, by Discord's ids, that take none.
    """
    waiting = _rows().proposed().filter(card_message_id=None)
    return list(
        waiting.filter(**{f"{_REVIEW_CHANNEL}__isnull": False})
        .exclude(**{f"{_REVIEW_CHANNEL}__discord_channel_id__in": except_in})
        .order_by("pk")[:AT_ONCE]
    )


def to_close() -> list[Correction]:
    """Those that are decided while their card still asks, oldest first."""
    return list(
        _rows().filter(card_is_open=True).exclude(state=State.PROPOSED).order_by("pk")[:AT_ONCE]
    )


def to_tell() -> list[Correction]:
    """Decisions about answers on Discord that Discord does not know of yet, oldest first."""
    return list(
        _rows()
        .filter(told_at=None, message__discord_message_id__isnull=False)
        .exclude(state=State.PROPOSED)
        .order_by("pk")[:AT_ONCE]
    )


def guild_id_of(correction: Correction) -> int | None:
    """Discord's id of the guild of the corrected answer; None for direct messages."""
    message = correction.message
    channel = message.conversation.discord_channel if message else None
    return channel.guild.discord_guild_id if channel and channel.guild else None


def in_guild(pk: int, *, discord_guild_id: int | None) -> Correction:
    """A correction of an answer given in this guild. Raises NotFound for any other."""
    correction = corrections.get(pk)
    if discord_guild_id is None or guild_id_of(correction) != discord_guild_id:
        raise corrections.no_such()
    return correction


def review_channel_id(correction: Correction) -> int | None:
    """Discord's id of the channel where trainers review this one."""
    message = correction.message
    channel = message.conversation.discord_channel if message else None
    if channel is None or channel.guild is None:
        return None
    review_channel = channel.guild.settings.review_channel
    return review_channel.discord_channel_id if review_channel else None


def opened(correction: Correction, *, channel_id: int, message_id: int) -> None:
    """Remember the card that was posted."""
    Correction.objects.filter(pk=correction.pk).update(
        card_channel_id=channel_id, card_message_id=message_id, card_is_open=True
    )


def closed(correction: Correction) -> None:
    """Remember that the card shows the decision, or is gone."""
    Correction.objects.filter(pk=correction.pk).update(card_is_open=False)


def told(correction: Correction) -> None:
    """Remember that Discord knows, unless it was decided anew meanwhile."""
    Correction.objects.filter(pk=correction.pk, updated_at=correction.updated_at).update(
        told_at=now(), told_state=correction.state
    )


def words_now(message: Message) -> tuple[str, int | None]:
    """The words that an answer shows today, and the correction they are from, if they are.

    Of several corrections in force the newest counts.
    """
    in_force = message.corrections.approved().order_by("-reviewed_at", "-pk").first()
    if in_force is not None:
        return in_force.better_answer, in_force.pk
    return message.content, message.correction_id


def is_mended(correction: Correction) -> bool:
    """Whether the answer shows, or has shown, the words of this correction."""
    return State.APPROVED in (correction.state, correction.told_state)


def to_be_told(correction: Correction) -> DiscordUser | None:
    """Who must hear of the decision: who wrote it, unless they know or decided themselves."""
    author = correction.discord_author
    if correction.told_state == correction.state or author == correction.discord_reviewer:
        return None
    return author


def _rows() -> CorrectionQuerySet:
    return Correction.objects.select_related(
        "message__reply_to",
        "message__conversation__discord_user",
        "message__conversation__discord_channel__guild__settings__review_channel",
        "discord_author",
        "discord_reviewer",
        "reviewer",
    )
