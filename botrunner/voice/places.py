"""Which voice channels the bot may be in. Needs none of what voice itself needs."""

from __future__ import annotations

from typing import Final

import discord

from trainerbot.errors import NotAllowed, TrainerBotError

VoicePlace = discord.VoiceChannel | discord.StageChannel

NO_VOICE_HERE: Final = (
    "Voice is switched off on this bot; an admin finds the reason on its Bot page."
)


class VoiceUnavailable(TrainerBotError):
    """Discord's voice cannot be used here, or did not answer."""


def check_may_join(channel: VoicePlace) -> None:
    """Raise NotAllowed, in words, where Discord would leave us waiting."""
    may = channel.permissions_for(channel.guild.me)
    name = discord.utils.escape_markdown(channel.name)
    if not (may.view_channel and may.connect):
        raise NotAllowed(f"I may not connect to {name}. Give my role the permission Connect there.")
    is_full = channel.user_limit and len(channel.voice_states) >= channel.user_limit
    is_in = channel.guild.me.id in channel.voice_states
    if is_full and not is_in and not may.move_members:
        raise NotAllowed(f"{name} is full. Make room for one more and try again.")
