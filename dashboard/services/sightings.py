"""What exists on Discord, as the bot sees it: guilds, their roles, their channels."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from dashboard.models import DiscordChannel, DiscordGuild, DiscordRole
from dashboard.services import outbox

TOPIC = "places"
MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class SeenRole:
    discord_role_id: int
    name: str
    position: int


@dataclass(frozen=True, slots=True)
class SeenChannel:
    """A channel that people talk in; neither a category nor a thread. kind: Discord's word."""

    discord_channel_id: int
    name: str
    kind: str
    category: str
    position: int


@dataclass(frozen=True, slots=True)
class SeenGuild:
    """All that the bot sees of one guild at one moment."""

    discord_guild_id: int
    name: str
    roles: tuple[SeenRole, ...] = ()
    channels: tuple[SeenChannel, ...] = ()


@transaction.atomic
def seen(guild: SeenGuild) -> bool:
    """Keep what the bot sees of a guild; whether that was anything new.

    What is no longer there is marked as gone and keeps what was set for it:
    that the one allowed channel was deleted must not open all others.
    """
    row, is_new = DiscordGuild.objects.get_or_create(
        discord_guild_id=guild.discord_guild_id, defaults={"name": guild.name[:MAX_NAME]}
    )
    changed = is_new
    if row.name != guild.name[:MAX_NAME] or row.left_at is not None:
        row.name, row.left_at, changed = guild.name[:MAX_NAME], None, True
        row.save(update_fields=["name", "left_at"])
    changed |= _see_roles(row, guild.roles)
    changed |= _see_channels(row, guild.channels)
    if changed:
        outbox.publish(TOPIC, "guild.changed", id=row.pk)
    return changed


@transaction.atomic
def left(discord_guild_id: int) -> None:
    """The bot is no longer in this guild. All that was set there waits for its return."""
    _mark_left([discord_guild_id])


@transaction.atomic
def only_in(
    discord_guild_ids: Collection[int], *, shard_ids: Collection[int], n_shards: int
) -> None:
    """Of the guilds of these shards the bot is in exactly the given ones; it has left the rest."""
    known = DiscordGuild.objects.filter(left_at=None).values_list("discord_guild_id", flat=True)
    there = set(discord_guild_ids)
    # Discord deals guilds out to shards by the time in their ids.
    ours = [each for each in known if (each >> 22) % n_shards in shard_ids]
    _mark_left([each for each in ours if each not in there])


def _mark_left(discord_guild_ids: Collection[int]) -> None:
    rows = DiscordGuild.objects.filter(discord_guild_id__in=discord_guild_ids, left_at=None)
    for pk in list(rows.values_list("pk", flat=True)):
        DiscordGuild.objects.filter(pk=pk).update(left_at=now())
        outbox.publish(TOPIC, "guild.changed", id=pk)


def _see_roles(guild: DiscordGuild, seen: Collection[SeenRole]) -> bool:
    there: dict[int, dict[str, Any]] = {
        each.discord_role_id: {"name": each.name[:MAX_NAME], "position": each.position}
        for each in seen
    }
    known = {row.discord_role_id: row for row in DiscordRole.objects.filter(guild=guild)}
    new = [
        DiscordRole(guild=guild, discord_role_id=key, **fields)
        for key, fields in there.items()
        if key not in known
    ]
    changed = [row for key, row in known.items() if _becomes(row, there.get(key))]
    DiscordRole.objects.bulk_create(new)
    DiscordRole.objects.bulk_update(changed, ["name", "position", "gone_at"], batch_size=100)
    return bool(new or changed)


def _see_channels(guild: DiscordGuild, seen: Collection[SeenChannel]) -> bool:
    there: dict[int, dict[str, Any]] = {
        each.discord_channel_id: {
            "guild_id": guild.pk,
            "name": each.name[:MAX_NAME],
            "kind": each.kind,
            "category": each.category[:MAX_NAME],
            "position": each.position,
        }
        for each in seen
    }
    # Threads have no kind: conversations make their rows, and nobody tells of their end.
    rows = DiscordChannel.objects.filter(
        Q(guild=guild) & ~Q(kind="") | Q(discord_channel_id__in=there)
    )
    known = {row.discord_channel_id: row for row in rows}
    new = [
        DiscordChannel(discord_channel_id=key, **fields)
        for key, fields in there.items()
        if key not in known
    ]
    changed = [row for key, row in known.items() if _becomes(row, there.get(key))]
    DiscordChannel.objects.bulk_create(new)
    DiscordChannel.objects.bulk_update(
        changed, ["guild", "name", "kind", "category", "position", "gone_at"], batch_size=100
    )
    return bool(new or changed)


def _becomes(row: DiscordChannel | DiscordRole, fields: Mapping[str, Any] | None) -> bool:
    """Give `row` these fields, or mark it as gone if there are none; whether that changed it."""
    if fields is None:
        wanted: dict[str, Any] = {"gone_at": row.gone_at or now()}
    else:
        wanted = {**fields, "gone_at": None}
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)
