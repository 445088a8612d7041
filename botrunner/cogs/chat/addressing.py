"""Whether a message is for the bot, and what it asks."""

from __future__ import annotations

import discord

from dashboard.services.chat import Spot

ANSWERED_TYPES = frozenset({discord.MessageType.default, discord.MessageType.reply})
# Each channel in which the bot may be addressed at all.
# What takes no room, or looks as if there was nothing.
BLANKS = " \n\u00ad\u200b\u200c\u200d\u2060\u2800\u3164\ufe0f\ufeff"
MAX_QUOTED_CHARACTERS = 2_000


def is_of_a_person(message: discord.Message) -> bool:
    """Whether somebody said it, and not a bot, a webhook or Discord itself."""
    return not (message.author.bot or message.webhook_id or message.type not in ANSWERED_TYPES)


def is_for(me: discord.ClientUser, message: discord.Message) -> bool:
    """Whether it was said to the bot: directly, by mention, in reply to it, or in its thread."""
    if message.guild is None or me in message.mentions:
        return True
    replied_to = message.reference.resolved if message.reference else None
    if isinstance(replied_to, discord.Message) and replied_to.author.id == me.id:
        return True
    return isinstance(message.channel, discord.Thread) and message.channel.owner_id == me.id


def is_a_call(me: discord.ClientUser, message: discord.Message) -> bool:
    """Whether a message without words still asks for the bot: its bare name, or directly.

    A sticker in reply to an answer, or within the bot's thread, does not.
    """
    return message.guild is None or f"<@{me.id}>" in message.content.replace("!", "")


def question_in(me: discord.ClientUser, message: discord.Message) -> str:
    """Return the words without the mention of the bot, and with names for other mentions."""
    text = message.content
    if "<@" in text:
        for mention in (f"<@{me.id}>", f"<@!{me.id}>"):
            text = text.replace(mention, "")
        for user in message.mentions:
            for mention in (f"<@{user.id}>", f"<@!{user.id}>"):
                text = text.replace(mention, f"@{user.display_name}")
    words = text.strip()
    return words if words.strip(BLANKS) else ""


def quoted_in(me: discord.ClientUser, message: discord.Message) -> str:
    """Return the words of somebody else's message that this one replies to, with their name."""
    said = message.reference.resolved if message.reference else None
    if not isinstance(said, discord.Message) or said.author.id == me.id:
        return ""
    words = said.content.strip()[:MAX_QUOTED_CHARACTERS]
    return f"{said.author.display_name} wrote: {words}" if words else ""


def spot_of(
    user: discord.abc.User,
    guild: discord.Guild | None,
    channel: object,
    channel_id: int,
) -> Spot:
    """Where somebody asks, by Discord's ids."""
    parent = channel.parent if isinstance(channel, discord.Thread) else None
    return Spot(
        guild_id=guild.id if guild else None,
        guild_name=guild.name if guild else "",
        channel_id=channel_id,
        channel_name=getattr(channel, "name", None) or user.display_name,
        discord_user_id=user.id,
        user_name=user.display_name,
        parent_id=channel.parent_id if isinstance(channel, discord.Thread) else None,
        parent_name=parent.name if parent else "",
    )
