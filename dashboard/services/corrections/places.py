"""Where a correction counts, who may carry it elsewhere, and how many must approve it there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from dashboard.models import Correction, DiscordChannel, DiscordGuild, GuildSettings, Message
from dashboard.services import access
from dashboard.services.access import Permission, Person
from trainerbot.errors import InvalidInput, NotAllowed

Place = tuple[DiscordGuild | None, DiscordChannel | None]
"""Where a correction counts: in a guild, in one channel of it, or with neither everywhere."""

EVERYWHERE = "everywhere"
ONLY_AN_ADMIN = (
    "What counts on one server alone is carried to others only by an admin. "
    "Leave it there, or ask an admin."
)


def home_of(message: Message | None) -> DiscordGuild | None:
    """The server on which an answer was given; None for direct messages and the Playground."""
    channel = message.conversation.discord_channel if message else None
    return channel.guild if channel else None


def may_carry(actor: User | Person | None, guild: DiscordGuild | None) -> bool:
    """Whether `actor` may let what belongs to `guild` alone count anywhere else.

    The people of one server know nothing of the others that the bot is on, and
    whom Discord calls an admin is one on one server.
    """
    if guild is None or actor is None:
        return True
    return not isinstance(actor, Person) and access.can(actor, Permission.SETTINGS)


def check_place(
    actor: User | Person | None,
    belongs_to: DiscordGuild | None,
    *,
    guild: DiscordGuild | None,
    channel: DiscordChannel | None,
) -> Place:
    """The place as it is stored: a channel brings its own guild.

    Raises InvalidInput for a channel of direct messages or of another server, and
    NotAllowed where `actor` may not carry it there.
    """
    if channel is not None:
        if channel.guild is None:
            raise InvalidInput("Direct messages are no place of their own. Choose a server.")
        if guild is not None and channel.guild != guild:
            raise InvalidInput("This channel belongs to another server. Choose one of this one.")
        guild = channel.guild
    if guild != belongs_to and not may_carry(actor, belongs_to):
        raise NotAllowed(ONLY_AN_ADMIN)
    return guild, channel


def is_within(new: Place, old: Place) -> bool:
    """Whether one place is a part of the other, or the same."""
    return old == (None, None) or old == new or (old[1] is None and old[0] == new[0])


@dataclass(frozen=True, slots=True)
class Wish:
    """What servers want of a review. linked_only: votes of Discord users without an account do not count."""

    reviewers_needed: int
    linked_only: bool


def reviewers_needed(correction: Correction) -> int:
    """How many different people must approve it: as its server wishes, and the one it came from."""
    return wishes([correction])[correction.pk].reviewers_needed


def wishes(rows: Sequence[Correction]) -> dict[int, Wish]:
    """What the server of each wishes, and the one that it came from, with one query for all."""
    ids = {row.pk: _wishing(row) for row in rows}
    guilds = {guild_id for each in ids.values() for guild_id in each}
    settings = (
        GuildSettings.objects.filter(guild__in=guilds) if guilds else GuildSettings.objects.none()
    )
    said = {
        guild: Wish(needed, linked_only)
        for guild, needed, linked_only in settings.values_list(
            "guild", "reviewers_needed", "linked_only"
        )
    }
    return {
        pk: _strictest([said[each] for each in here if each in said]) for pk, here in ids.items()
    }


def _strictest(found: Sequence[Wish]) -> Wish:
    needed = max((each.reviewers_needed for each in found), default=1)
    return Wish(needed, needed > 1 and any(each.linked_only for each in found))


def _wishing(correction: Correction) -> set[int]:
    home = home_of(correction.message)
    return {each for each in (correction.guild_id, home.pk if home else None) if each}


def places_for(
    actor: User, *, belongs_to: DiscordGuild | None = None
) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """What may be chosen: (value, name, its channels as (value, name)), everywhere first.

    belongs_to: the only server whose places are open to whoever may carry it nowhere else.
    Members are offered everywhere alone: which servers there are is not for them to see.
    """
    if not access.can(actor, Permission.VIEW):
        return [(EVERYWHERE, "Everywhere", [])]
    guilds: QuerySet[DiscordGuild] = DiscordGuild.objects.filter(left_at=None).order_by("name")
    found: list[tuple[str, str, list[tuple[str, str]]]] = []
    if may_carry(actor, belongs_to):
        found.append((EVERYWHERE, "Everywhere", []))
    else:
        guilds = guilds.filter(pk__in=[belongs_to.pk] if belongs_to else [])
    channels: dict[int, list[tuple[str, str]]] = {}
    for channel in DiscordChannel.objects.filter(
        guild__in=guilds, parent=None, gone_at=None
    ).order_by("position", "name"):
        assert channel.guild_id is not None  # as filtered
        of_guild = channels.setdefault(channel.guild_id, [])
        of_guild.append((f"channel-{channel.pk}", f"#{channel.name}"))
    for guild in guilds:
        found.append((f"guild-{guild.pk}", guild.name, channels.get(guild.pk, [])))
    return found


def place_value(guild: DiscordGuild | None, channel: DiscordChannel | None) -> str:
    """How a form spells a place."""
    return Correction(guild=guild, channel=channel).place_value


def read_place(value: str) -> Place:
    """The place that a form spells. Raises InvalidInput where there is none."""
    if value in ("", EVERYWHERE):
        return None, None
    kind, _, number = value.partition("-")
    if number.isascii() and number.isdecimal() and len(number) < 19:
        if kind == "guild":
            guild = DiscordGuild.objects.filter(pk=int(number)).first()
            if guild is not None:
                return guild, None
        if kind == "channel":
            channel = DiscordChannel.objects.filter(pk=int(number)).first()
            if channel is not None and channel.guild is not None:
                return channel.guild, channel
    raise InvalidInput("There is no such place any more. Choose another.")


def name_of(values: dict[str, Any]) -> str:
    """The name of a place that a step remembers by its ids, as far as it is still there."""
    guild = DiscordGuild.objects.filter(pk__in=[values["guild_id"]]).first()
    channel = DiscordChannel.objects.filter(pk__in=[values["channel_id"]]).first()
    return Correction(guild=guild, channel=channel).place_name
