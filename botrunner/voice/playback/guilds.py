"""The one player of each guild, and saying something there."""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

import discord

from botrunner.voice.playback.player import Player
from botrunner.voice.playback.speech import Speech
from dashboard.services import speech as speech_services
from trainerbot.speech import Pcm

# By the client, since a process may run one after another.
_players: Final[WeakKeyDictionary[discord.Client, dict[int, Player]]] = WeakKeyDictionary()


def player_of(client: discord.Client, guild_id: int) -> Player:
    """The player of a guild, in Discord's ids; made when it is first asked for."""
    players = _players.setdefault(client, {})
    if guild_id not in players:

        async def synthesize(text: str, language: str, asker_id: int, asked_at: float) -> Pcm:
            try:
                said = await speech_services.say(
                    text,
                    language=language,
                    guild_id=guild_id,
                    payer_id=asker_id or None,
                    is_urgent=True,
                    asked_at=asked_at,
                )
            except speech_services.NothingToSay:
                return Pcm(b"")
            return said.sound

        def voice() -> discord.VoiceClient | None:
            guild = client.get_guild(guild_id)
            here = guild.voice_client if guild else None
            return here if isinstance(here, discord.VoiceClient) else None

        players[guild_id] = Player(synthesize=synthesize, voice=voice)
    return players[guild_id]


def is_with(member: discord.abc.User) -> bool:
    """Whether somebody sits in the voice channel in which the bot is."""
    if not isinstance(member, discord.Member) or member.voice is None:
        return False
    here = member.guild.voice_client
    return here is not None and member.voice.channel == here.channel


def speak_in_call(
    guild: discord.Guild, text: str, language: str, *, asker_id: int = 0
) -> Speech | None:
    """Say `text` in the guild's call behind what is said there already; None if it is in none.

    Returns at once. `await speech.over()` tells how much was heard, and in
    words what kept the rest from being made.
    """
    here = guild.voice_client
    if not isinstance(here, discord.VoiceClient):
        return None
    speech = player_of(here.client, guild.id).begin(asker_id=asker_id, language=language)
    speech.feed(text)
    speech.end()
    return speech
