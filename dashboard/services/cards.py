"""What Discord must still be told of corrections: cards to review, answers to mend, reporters.

Each list is what is left to do, so a bot that was down meanwhile does it at
its start.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q
from django.utils.timezone import now

from dashboard.models import Correction, DiscordGuild, DiscordUser, Message
from dashboard.models.corrections import CorrectionQuerySet
from dashboard.services import corrections, foresight
from dashboard.services.corrections import Tally

State = Correction.State
AT_ONCE = 100
# Of the server where it counts, else of that where it was said.
_COUNTS = "guild__settings__review_channel"
_SAID = "message__conversation__discord_channel__guild__settings__review_channel"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a card tells beside the words: the votes, and in a line what it would do."""

    tally: Tally
    ahead: str


def shown(correction: Correction) -> Shown:
    """The same of one correction. Takes tenths of a second: on a thread that nobody waits for."""
    waits = correction.state == State.PROPOSED
    ahead = foresight.of(correction).in_a_line if waits else ""
    return Shown(corrections.tally(correction), ahead)


def to_post(*, except_in: Collection[int] = ()) -> list[Correction]:
    """Proposals without a card whose guild has a review channel, oldest first.

    except_in: review channels, by Discord's ids, that take none.
    """
    waiting = _rows().proposed().filter(card_message_id=None)
    named = {
        path: Q(**{f"{path}__isnull": False})
        & ~Q(**{f"{path}__discord_channel_id__in": list(except_in)})
        for path in (_COUNTS, _SAID)
    }
    by_place = Q(guild__isnull=False) & named[_COUNTS]
    by_answer = Q(guild=None) & named[_SAID]
    return list(waiting.filter(by_place | by_answer).order_by("pk")[:AT_ONCE])


def to_renew() -> list[Correction]:
    """Those whose card shows less than there is: another vote, other words, waiting again."""
    return list(
        _rows().proposed().filter(card_is_stale=True, card_is_open=True).order_by("pk")[:AT_ONCE]
    )


def to_close() -> list[Correction]:
    """Those that are decided while their card still asks, oldest first."""
    return list(
        _rows().filter(card_is_open=True).exclude(state=State.PROPOSED).order_by("pk")[:AT_ONCE]
    )


def to_tell() -> list[Correction]:
    """Decisions about answers on Discord that Discord does not know of yet, oldest first.

    Also those that were in force, and wait again: the old answer shows its words no more.
    """
    return list(
        _rows()
        .filter(told_at=None, message__discord_message_id__isnull=False)
        .exclude(~Q(told_state=State.APPROVED), state=State.PROPOSED)
        .order_by("pk")[:AT_ONCE]
    )


def guild_id_of(correction: Correction) -> int | None:
    """Discord's id of the guild whose trainers review it; None where no guild is its own."""
    guild = _guild(correction)
    return guild.discord_guild_id if guild else None


def in_guild(pk: int, *, discord_guild_id: int | None) -> Correction:
    """A correction that the trainers of this guild review. Raises NotFound for any other."""
    correction = corrections.get(pk)
    if discord_guild_id is None or guild_id_of(correction) != discord_guild_id:
        raise corrections.no_such()
    return correction


def review_channel_id(correction: Correction) -> int | None:
    """Discord's id of the channel where trainers review this one."""
    guild = _guild(correction)
    review_channel = guild.settings.review_channel if guild else None
    return review_channel.discord_channel_id if review_channel else None


def _guild(correction: Correction) -> DiscordGuild | None:
    return correction.guild or corrections.home_of(correction.message)


def opened(correction: Correction, *, channel_id: int, message_id: int) -> None:
    """Remember the card that was posted."""
    Correction.objects.filter(pk=correction.pk).update(
        card_channel_id=channel_id, card_message_id=message_id, card_is_open=True
    )
    # What changed while the card was on its way is not what it shows.
    Correction.objects.filter(pk=correction.pk).exclude(updated_at=correction.updated_at).update(
        card_is_stale=True
    )


def closed(correction: Correction) -> None:
    """Remember that the card shows the decision, or is gone, unless it was decided anew meanwhile."""
    Correction.objects.filter(pk=correction.pk, updated_at=correction.updated_at).exclude(
        state=State.PROPOSED
    ).update(card_is_open=False, card_is_stale=False)


def lost(correction: Correction) -> None:
    """Remember that Discord has the card no more: one that waits gets another."""
    Correction.objects.filter(pk=correction.pk).update(
        card_channel_id=None, card_message_id=None, card_is_open=False, card_is_stale=False
    )


def renewed(correction: Correction) -> None:
    """Remember that the card shows what there was, unless it changed meanwhile."""
    Correction.objects.filter(pk=correction.pk, updated_at=correction.updated_at).update(
        card_is_stale=False
    )


def told(correction: Correction) -> None:
    """Remember that Discord knows, unless it was decided anew meanwhile."""
    Correction.objects.filter(pk=correction.pk, updated_at=correction.updated_at).update(
        told_at=now(), told_state=correction.state
    )


def words_now(message: Message) -> tuple[str, int | None]:
    """The words that an answer shows today, and the correction they are from, if they are.

    Of several corrections in force the newest counts, as it does in recall,
    whenever each was approved.
    """
    in_force = message.corrections.approved().order_by("-pk").first()
    if in_force is not None:
        return in_force.better_answer, in_force.pk
    return message.content, message.correction_id


def is_mended(correction: Correction) -> bool:
    """Whether the answer shows, or has shown, the words of this correction."""
    return State.APPROVED in (correction.state, correction.told_state)


def to_be_told(correction: Correction) -> DiscordUser | None:
    """Who must hear of the decision: who wrote it, unless they know or decided themselves."""
    author = correction.discord_author
    is_decided = correction.state != State.PROPOSED
    if not is_decided or correction.told_state == correction.state:
        return None
    if author == correction.discord_reviewer:
        return None
    return author


def _rows() -> CorrectionQuerySet:
    return Correction.objects.select_related(
        "guild__settings__review_channel",
        "channel",
        "message__reply_to",
        "message__conversation__discord_user",
        "message__conversation__discord_channel__guild__settings__review_channel",
        "discord_author",
        "discord_reviewer",
        "reviewer",
    )
