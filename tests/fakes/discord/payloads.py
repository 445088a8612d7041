"""The JSON that Discord's API v10 would send about the things of the world."""

from datetime import datetime, timedelta
from typing import Any

from tests.fakes.discord.world import (
    Attachment,
    Channel,
    ChannelType,
    Message,
    User,
    World,
    snowflake,
    timestamp,
)

Payload = dict[str, Any]

ALL_PERMISSIONS = str(2**50 - 1)
NOT_ADMINISTRATOR = str((2**50 - 1) & ~(1 << 3))  # so that a channel can take some away
MESSAGE_CONTENT_LIMITED = 1 << 19  # application flag: may ask for the message content intent
REPLY = 19  # message type

# What a guild has none of here. discord.py wants each key all the same.
NO_LISTS = (
    "threads",
    "presences",
    "stage_instances",
    "guild_scheduled_events",
    "soundboard_sounds",
    "emojis",
    "stickers",
    "features",
)
NO_VALUES = (
    "icon",
    "banner",
    "splash",
    "discovery_splash",
    "description",
    "vanity_url_code",
    "afk_channel_id",
    "system_channel_id",
    "rules_channel_id",
    "public_updates_channel_id",
    "application_id",
)
NO_LEVELS = (
    "verification_level",
    "default_message_notifications",
    "explicit_content_filter",
    "mfa_level",
    "premium_tier",
    "nsfw_level",
    "system_channel_flags",
)


def user(who: User) -> Payload:
    return {
        "id": who.id,
        "username": who.name,
        "discriminator": "0",
        "global_name": None if who.is_bot else who.name,
        "avatar": None,
        "bot": who.is_bot,
    }


def member(who: User, *, with_user: bool = True) -> Payload:
    of_guild: Payload = {
        "roles": [],
        "joined_at": timestamp(),
        "deaf": False,
        "mute": False,
        "flags": 0,
        "nick": None,
        "avatar": None,
        "permissions": ALL_PERMISSIONS,
    }
    return {"user": user(who), **of_guild} if with_user else of_guild


def channel(what: Channel) -> Payload:
    described: Payload = {"id": what.id, "type": int(what.type), "last_message_id": None}
    if what.type is ChannelType.DIRECT:
        assert what.recipient is not None
        return {**described, "recipients": [user(what.recipient)]}
    assert what.guild is not None
    described |= {
        "name": what.name,
        "guild_id": what.guild.id,
        "position": 0,
        "permission_overwrites": [],
        "nsfw": False,
        "parent_id": None,
        "topic": None,
        "rate_limit_per_user": 0,
    }
    if what.denied:
        everyone = {"id": what.guild.id, "type": 0, "allow": "0", "deny": str(what.denied)}
        described["permission_overwrites"] = [everyone]
    if what.type is ChannelType.VOICE:
        described |= {"bitrate": 64000, "user_limit": 0, "rtc_region": None}
    if what.type is ChannelType.PUBLIC_THREAD:
        described |= {
            "owner_id": "0",
            "message_count": 0,
            "member_count": 1,
            "thread_metadata": {
                "archived": False,
                "auto_archive_duration": 1440,
                "archive_timestamp": timestamp(),
                "locked": False,
            },
        }
    return described


def guild(world: World) -> Payload:
    """GUILD_CREATE, complete: discord.py reads most of these without asking."""
    everyone = {
        "id": world.guild.id,
        "name": "@everyone",
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 0,
        "permissions": NOT_ADMINISTRATOR,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
    people = [world.bot, *world.users.values()]
    return {
        "id": world.guild.id,
        "name": world.guild.name,
        "owner_id": world.owner.id,
        "roles": [everyone],
        "channels": [
            channel(c)
            for c in world.channels.values()
            if c.type in (ChannelType.TEXT, ChannelType.VOICE)
        ],
        "members": [member(who) for who in people],
        "member_count": len(people),
        "joined_at": timestamp(),
        "large": False,
        "unavailable": False,
        "preferred_locale": "en-US",
        "afk_timeout": 300,
        "premium_progress_bar_enabled": False,
        "voice_states": list(world.voice_states.values()),
        **{name: [] for name in NO_LISTS},
        **dict.fromkeys(NO_VALUES),
        **dict.fromkeys(NO_LEVELS, 0),
    }


def attachment(what: Attachment) -> Payload:
    return {
        "id": what.id,
        "filename": what.filename,
        "size": len(what.content),
        "url": what.url,
        "proxy_url": what.url,
        "content_type": what.content_type,
        **what.extra,
    }


def message(what: Message, world: World, *, with_reference: bool = True) -> Payload:
    said: Payload = {
        "id": what.id,
        "channel_id": what.channel.id,
        "author": user(what.author),
        "content": what.content,
        "timestamp": what.created_at,
        "edited_timestamp": what.edited_at,
        "tts": False,
        "mention_everyone": False,
        "mentions": [
            {**user(who), "member": member(who, with_user=False)} for who in mentioned(what, world)
        ],
        "mention_roles": [],
        "attachments": [attachment(a) for a in what.attachments],
        "embeds": [],
        "pinned": False,
        "type": REPLY if what.reply_to else 0,
        "flags": what.flags,
        "components": what.components,
    }
    if what.poll:
        said["poll"] = poll(what)
    if what.nonce:
        said["nonce"] = what.nonce
    if what.webhook_id:
        said["webhook_id"] = what.webhook_id
    elif what.channel.guild:
        said["member"] = member(what.author, with_user=False)
    if what.channel.guild:
        said["guild_id"] = what.channel.guild.id
    if what.reply_to and with_reference:
        said["message_reference"] = {
            "type": 0,
            "message_id": what.reply_to.id,
            "channel_id": what.reply_to.channel.id,
            **({"guild_id": what.channel.guild.id} if what.channel.guild else {}),
        }
        said["referenced_message"] = (
            None
            if what.reply_to.is_deleted
            else message(what.reply_to, world, with_reference=False)
        )
    return said


def poll(what: Message) -> Payload:
    assert what.poll is not None
    over = datetime.fromisoformat(what.created_at) + timedelta(hours=what.poll.hours)
    return {
        "question": {"text": what.poll.question},
        "answers": [
            {"answer_id": number, "poll_media": {"text": words}}
            for number, words in enumerate(what.poll.choices, start=1)
        ],
        "expiry": over.isoformat(),
        "allow_multiselect": False,
        "layout_type": 1,
        "results": {
            "is_finalized": what.poll.is_over,
            # Discord leaves out what nobody has chosen.
            "answer_counts": [
                {"id": number, "count": len(voters), "me_voted": False}
                for number, voters in what.poll.votes.items()
                if voters
            ],
        },
    }


def mentioned(what: Message, world: World) -> list[User]:
    people = [world.bot, *world.users.values()]
    replied_to = what.reply_to.author if what.reply_to and what.pings_author else None
    return [who for who in people if who.mention in what.content or who is replied_to]


def application(world: World) -> Payload:
    return {
        "id": world.bot.id,
        "name": world.bot.name,
        "icon": None,
        "description": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "owner": user(world.owner),
        "team": None,
        "flags": MESSAGE_CONTENT_LIMITED,
        "summary": "",
    }


def interaction(
    world: World, who: User, where: Channel, *, type: int, data: Payload, about: Message | None
) -> Payload:
    """INTERACTION_CREATE of type 2 (command), 3 (component) or 5 (modal)."""
    clicked: Payload = {
        "id": snowflake(),
        "application_id": world.bot.id,
        "type": type,
        "token": f"interaction-{snowflake()}",
        "version": 1,
        "guild_id": world.guild.id,
        "channel_id": where.id,
        "channel": {**channel(where), "permissions": ALL_PERMISSIONS},
        "member": member(who),
        "data": data,
        "locale": "en-US",
        "guild_locale": "en-US",
        "app_permissions": ALL_PERMISSIONS,
        "entitlements": [],
        "authorizing_integration_owners": {"0": world.guild.id},
        "context": 0,
        "attachment_size_limit": 10 << 20,
    }
    if about:
        clicked["message"] = message(about, world)
    return clicked
