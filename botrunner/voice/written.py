"""What is written about a call, where it is on Discord."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Final

import aiohttp
import discord

from botrunner.quoting import in_a_line

log = logging.getLogger(__name__)

MOST_NAME: Final = 60


async def write(bot: discord.Client, text: str, *, guild_id: int, channel_id: int) -> None:
    """Write a sentence about a call, if the bot may. Never raises."""
    where = bot.get_partial_messageable(channel_id, guild_id=guild_id)
    try:
        await where.send(text)
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        log.warning("A call could not be written about: %s", error)


def names_of(guild: discord.Guild | None, discord_user_ids: Iterable[int]) -> list[str]:
    """What people are called in a guild, so that it does nothing in a message."""
    members = [guild.get_member(who) for who in discord_user_ids] if guild else []
    return [in_a_line(member.display_name, MOST_NAME) for member in members if member]


def reminder(names: Sequence[str], *, keeps_audio_days: int, heard_by: Sequence[str] = ()) -> str:
    """What `announcement` says in a line, for those who came after it was announced; their names, made harmless."""
    kept = "in writing and as a recording" if keeps_audio_days else "in writing"
    sent = f", and may be sent to {' and '.join(heard_by)}" if heard_by else ""
    return (
        f"-# {', '.join(names)}: I listen here. What is said to me is kept {kept}{sent}; "
        "`/listen off`, and I do not listen to you."
    )


def announcement(*, keeps_audio_days: int, heard_by: Sequence[str] = ()) -> str:
    """What whoever is in a call must know: who listens, what is kept, how to object.

    heard_by: whom else the sound is sent to, so that they make words of it.
    """
    days = "a day" if keeps_audio_days == 1 else f"{keeps_audio_days} days"
    kept = f"a recording of it for {days}" if keeps_audio_days else "never as a recording"
    sent = f"To make words of it, I may send it to {' and '.join(heard_by)}. " if heard_by else ""
    return (
        "I listen to everybody here and answer whoever speaks to me. What is said to me is kept "
        f"in writing, {kept}; anything else I forget at once. {sent}Whoever does not want me to "
        "listen to them says `/listen off`."
    )
