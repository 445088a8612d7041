"""How the bot behaves where: settings, roles and lists of all guilds, read at each message."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models, transaction

from dashboard.models import (
    Access,
    Alias,
    AssistantSettings,
    DiscordChannel,
    DiscordGuild,
    DiscordRole,
    GuildSettings,
    ModelPrice,
    OutboxEvent,
    PlaceSettings,
    SpeechPrice,
    Usage,
    VoiceSettings,
)
from dashboard.services import assistant, audit, outbox, routing
from dashboard.services.access import Person, Role
from trainerbot.errors import InvalidInput, NotAllowed

TOPIC = "settings"
Answers = PlaceSettings.Answers
Speaks = VoiceSettings.Speaks
MOST_TOKENS = assistant.MOST_TOKENS
AUDITED_CHARACTERS = 200
# As in BCP 47, as far as people need it: en, de-AT, zh-Hant-TW.
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
NOT_HERE = "I do not answer in this channel. Ask in another one, or write to me directly."
NOT_DIRECTLY = "I do not answer direct messages. Ask me on a server that we are both on."
NOT_YOU = "The admins of this server have not opened me to your role."


@dataclass(frozen=True, slots=True)
class Place:
    """How the bot behaves at one place, with all that falls through filled in.

    answers: ADDRESSED, EVERYTHING or NOTHING. language: "" where nobody chose one.
    speaks: NEVER, TO_SPEECH or ALWAYS of `VoiceSettings`. release_id: whose
    model, prompt and settings these are, once `routing.route` was asked.
    """

    answers: str
    model: str
    system_prompt: str
    language: str
    temperature: float | None
    max_tokens: int
    speaks: str = Speaks.TO_SPEECH
    release_id: int | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """All settings of all guilds at one moment. Discord's own ids are the keys; never changes."""

    everywhere: AssistantSettings
    guilds: Mapping[int, GuildSettings] = field(default_factory=dict)
    in_guild: Mapping[int, PlaceSettings] = field(default_factory=dict)
    in_channel: Mapping[int, PlaceSettings] = field(default_factory=dict)
    roles: Mapping[int, Mapping[int, DiscordRole]] = field(default_factory=dict)
    channel_access: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    prices: Mapping[str, ModelPrice] = field(default_factory=dict)
    speaks: Mapping[int, str] = field(default_factory=dict)
    speech_prices: Mapping[str, SpeechPrice] = field(default_factory=dict)
    aliases: Mapping[str, Alias] = field(default_factory=dict)

    def place(self, guild_id: int | None, *channel_ids: int) -> Place:
        """How the bot behaves in a channel; name the thread first, then its channel."""
        rows = [self.in_channel[each] for each in channel_ids if each in self.in_channel]
        if guild_id is not None and guild_id in self.in_guild:
            rows.append(self.in_guild[guild_id])
        last = self.everywhere
        temperatures = [row.temperature for row in rows if row.temperature is not None]
        return Place(
            answers=next((row.answers for row in rows if row.answers), Answers.ADDRESSED),
            model=next((row.model for row in rows if row.model), last.model),
            system_prompt=next(
                (row.system_prompt for row in rows if row.system_prompt), last.system_prompt
            ),
            language=next((row.language for row in rows if row.language), ""),
            temperature=temperatures[0] if temperatures else last.temperature,
            max_tokens=next((row.max_tokens for row in rows if row.max_tokens), last.max_tokens),
            speaks=self.speaks.get(guild_id or 0, Speaks.TO_SPEECH),
        )

    def role(self, guild_id: int | None, role_ids: Collection[int]) -> Role:
        """The highest role that Discord's roles give their holder in a guild."""
        known = self.roles.get(guild_id or 0, {})
        grants = {known[each].grants for each in role_ids if each in known}
        if DiscordRole.Grants.ADMIN in grants:
            return Role.ADMIN
        return Role.TRAINER if DiscordRole.Grants.TRAINER in grants else Role.MEMBER

    def check_listens(
        self, guild_id: int | None, channel_ids: Collection[int], role_ids: Collection[int]
    ) -> None:
        """Raise NotAllowed, in words, where or to whom the bot does not answer.

        Denied beats allowed; where anything is allowed by name, only that is.
        A thread is what its channel is, unless it is named itself.
        """
        if guild_id is None:
            if not self.everywhere.answers_direct:
                raise NotAllowed(NOT_DIRECTLY)
            return
        channels = self.channel_access.get(guild_id, {})
        named = [channels[each] for each in channel_ids if each in channels]
        if Access.DENY in named or (Access.ALLOW in channels.values() and not named):
            raise NotAllowed(NOT_HERE)
        known = self.roles.get(guild_id, {})
        held = [known[each].access for each in role_ids if each in known]
        some_allowed = any(role.access == Access.ALLOW for role in known.values())
        if Access.DENY in held or (some_allowed and Access.ALLOW not in held):
            raise NotAllowed(NOT_YOU)


_lock = threading.Lock()
# The last event about settings, and what was in force after it.
_kept: tuple[object, Rules] | None = None


def rules() -> Rules:
    """What is in force when this is called, in whichever process it was changed.

    One query of an index tells whether anything changed.
    """
    global _kept
    events = OutboxEvent.objects.filter(topic=TOPIC).order_by("-pk")
    stamp = events.values_list("pk", "created_at").first()
    with _lock:
        if _kept is None or _kept[0] != stamp:
            _kept = stamp, _read()
        return _kept[1]


def forget() -> None:
    """Read all anew at the next call: rows were changed beside the services, as by a test."""
    global _kept
    with _lock:
        _kept = None


def _read() -> Rules:
    guilds = GuildSettings.objects.select_related("guild", "review_channel")
    places = PlaceSettings.objects.select_related("guild", "channel")
    named = DiscordChannel.objects.exclude(access=Access.INHERIT).filter(guild__isnull=False)
    roles: dict[int, dict[int, DiscordRole]] = {}
    for role in DiscordRole.objects.exclude(grants="", access="").select_related("guild"):
        roles.setdefault(role.guild.discord_guild_id, {})[role.discord_role_id] = role
    channel_access: dict[int, dict[int, str]] = {}
    for channel in named.select_related("guild"):
        assert channel.guild is not None  # as filtered
        in_guild = channel_access.setdefault(channel.guild.discord_guild_id, {})
        in_guild[channel.discord_channel_id] = channel.access
    return Rules(
        everywhere=assistant.current(),
        guilds={row.guild.discord_guild_id: row for row in guilds},
        in_guild={row.guild.discord_guild_id: row for row in places if row.channel is None},
        in_channel={row.channel.discord_channel_id: row for row in places if row.channel},
        roles=roles,
        channel_access=channel_access,
        prices={price.model: price for price in ModelPrice.objects.all()},
        speaks=dict(VoiceSettings.objects.values_list("guild__discord_guild_id", "speaks")),
        speech_prices={price.provider: price for price in SpeechPrice.objects.all()},
        aliases={
            alias.name: alias
            for alias in Alias.objects.select_related("stable", "canary", "shadow")
        },
    )


# --- Writing --------------------------------------------------------------------
def guild(discord_guild_id: int, name: str = "") -> DiscordGuild:
    """The row of a guild, made if it is new; `name` is kept where it is given."""
    row, _ = DiscordGuild.objects.get_or_create(
        discord_guild_id=discord_guild_id, defaults={"name": name[:100] or str(discord_guild_id)}
    )
    return row


@transaction.atomic
def save_guild(changed: GuildSettings, *, actor: User | Person | None) -> GuildSettings:
    """Put the settings of a guild in force. Raises InvalidInput, in words, for a bad value."""
    channel = changed.review_channel
    if channel is not None and channel.guild_id != changed.guild_id:
        raise InvalidInput("The review channel belongs to another server. Choose one of this one.")
    if routing.name_in(changed.saving_model):
        raise InvalidInput(
            "The cheaper model is one of the endpoint's, not a name such as @support."
        )
    _replace_stored(changed, GuildSettings.objects.filter(guild=changed.guild_id))
    _check(changed)
    changes = _changes(changed)
    changed.save()
    # Who was warned of the old budget shall hear of the new one.
    warned = Usage.objects.filter(guild=changed.guild_id, warned_at__isnull=False)
    warned.update(warned_at=None)
    _announce(actor, f"guild {changed.guild_id}", **changes)
    return changed


@transaction.atomic
def save_place(changed: PlaceSettings, *, actor: User | Person | None) -> PlaceSettings:
    """Put the settings of a guild or channel in force. Raises InvalidInput for a bad value.

    Where all are empty again, no row stays.
    """
    channel = changed.channel
    if channel is not None and channel.guild_id != changed.guild_id:
        raise InvalidInput("This channel belongs to another server.")
    if changed.max_tokens is not None and not 1 <= changed.max_tokens <= MOST_TOKENS:
        raise InvalidInput(f"The longest answer has 1 to {MOST_TOKENS:,} tokens.")
    routing.check_named(changed.model)
    if changed.language and not LANGUAGE.fullmatch(changed.language):
        raise InvalidInput("A language tag looks like en, de or ru-RU.")
    stored = PlaceSettings.objects.filter(guild=changed.guild_id, channel=changed.channel_id)
    _replace_stored(changed, stored)
    _check(changed)
    changes = _changes(changed)
    where = f"channel {changed.channel_id}" if channel else f"guild {changed.guild_id}"
    if not changed.is_empty:
        changed.save()
    elif changed.pk is not None:
        changed.delete()
    _announce(actor, where, **changes)
    return changed


@transaction.atomic
def save_role(role: DiscordRole, *, grants: str, access: str, actor: User | Person | None) -> None:
    """Say what the holders of a role may do, and whether they are answered.

    Raises InvalidInput for anything that is not one of the choices.
    """
    if grants not in DiscordRole.Grants.values:
        raise InvalidInput("The holders of a role are members, trainers or admins.")
    _check_access(access)
    role.grants, role.access = grants, access
    role.save(update_fields=["grants", "access"])
    _announce(actor, f"role {role.pk}", grants=grants, access=access)


@transaction.atomic
def save_access(channel: DiscordChannel, *, access: str, actor: User | Person | None) -> None:
    """Say whether the bot answers in a channel. Raises InvalidInput for what is no choice."""
    _check_access(access)
    channel.access = access
    channel.save(update_fields=["access"])
    _announce(actor, f"channel {channel.pk}", access=access)


def _changes(row: GuildSettings | PlaceSettings) -> dict[str, str]:
    """What `row` will change, for the audit log; long words are shortened there."""
    fields = {
        field.attname: field.get_default()
        for field in row._meta.concrete_fields
        if field.name not in ("id", "guild", "channel", "updated_at")
    }
    stored = type(row)._default_manager.filter(pk=row.pk).values(*fields).first() or fields
    return {
        name: str(getattr(row, name))[:AUDITED_CHARACTERS]
        for name in fields
        if getattr(row, name) != stored[name]
    }


def _replace_stored(changed: GuildSettings | PlaceSettings, stored: models.QuerySet[Any]) -> None:
    """Let the later of two admins have their way, also where both opened an empty form."""
    # Who comes second waits here until the first has committed.
    DiscordGuild.objects.select_for_update().filter(pk=changed.guild_id).first()
    pk = stored.values_list("pk", flat=True).first()
    if pk is not None and changed._state.adding:
        changed.pk = pk
        changed._state.adding = False


def _check_access(access: str) -> None:
    if access not in Access.values:
        raise InvalidInput("A role or a channel is allowed, denied or neither.")


def _check(row: models.Model) -> None:
    """Raise InvalidInput, in words, unless the fields of a row hold what they may."""
    try:
        row.full_clean()
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from error


def _announce(actor: User | Person | None, target: str, **detail: str) -> None:
    if isinstance(actor, Person):
        audit.record(
            actor.user,
            "place.change",
            target,
            name=actor.name,
            discord_user_id=actor.discord_user_id,
            **detail,
        )
    else:
        audit.record(actor, "place.change", target, **detail)
    outbox.publish(TOPIC, "settings.changed")
