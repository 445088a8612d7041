"""Joins and leaves voice channels."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import discord
from discord.ext import commands
from discord.opus import Encoder
from discord.voice_client import VoiceClient

from botrunner.people import requires
from dashboard.services.access import Permission
from trainerbot.errors import NotAllowed, TrainerBotError

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

CONNECT_WITHIN_S = 15.0
NOT_IN_VOICE = "You are not in a voice channel."
BOT_NOT_IN_VOICE = "I am not in a voice channel."
LEFT = "Disconnected from the voice channel."
NO_VOICE_HERE = "Voice is switched off on this bot; an admin finds the reason on its Bot page."


def voice_problem() -> str:
    """Say what voice lacks on this machine, or "". Text works without."""
    if VoiceClient.warn_nacl:
        return "PyNaCl is not installed: pip install 'discord.py[voice]'."
    if VoiceClient.warn_dave:
        return "davey is not installed: pip install 'discord.py[voice]'."
    try:
        Encoder.get_opus_version()
    except discord.opus.OpusNotLoaded:
        return "The Opus library was not found: install libopus (Debian: libopus0)."
    return ""


class VoiceUnavailable(TrainerBotError):
    """Discord's voice cannot be used here, or did not answer."""


class Voice(commands.Cog):
    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        self._moves: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    # mypy cannot solve the type variables of discord.py's hybrid commands.
    @commands.hybrid_command(description="Joins the voice channel that you are in")  # type: ignore[arg-type]
    @requires(Permission.CHAT)
    async def join(self, context: commands.Context[TrainerBot]) -> None:
        target = _voice_channel_of(context.author)
        if context.guild is None or target is None:
            await context.send(NOT_IN_VOICE)
            return
        if self.bot.voice_problem:
            raise VoiceUnavailable(NO_VOICE_HERE)
        await (
            context.defer()
        )  # Discord waits three seconds for an answer, and voice may take longer
        lock = self._moves.setdefault(context.guild.id, asyncio.Lock())
        async with lock:
            _check_may_join(target)
            await _go_to(target, context.guild.voice_client)
        await context.send(f"Joined {discord.utils.escape_markdown(target.name)}")

    @commands.hybrid_command(description="Leaves the voice channel")  # type: ignore[arg-type]  # as above
    @requires(Permission.CHAT)
    async def leave(self, context: commands.Context[TrainerBot]) -> None:
        here = context.guild.voice_client if context.guild else None
        if context.guild is None or here is None:
            await context.send(BOT_NOT_IN_VOICE)
            return
        await context.defer()
        lock = self._moves.setdefault(context.guild.id, asyncio.Lock())
        async with lock:
            await here.disconnect(force=True)
        await context.send(LEFT)


def _voice_channel_of(
    author: discord.abc.User,
) -> discord.VoiceChannel | discord.StageChannel | None:
    """Where they are; a person in a direct message has no voice at all."""
    voice = author.voice if isinstance(author, discord.Member) else None
    return voice.channel if voice else None


def _check_may_join(target: discord.VoiceChannel | discord.StageChannel) -> None:
    """Raise NotAllowed, in words, where Discord would leave us waiting."""
    may = target.permissions_for(target.guild.me)
    name = discord.utils.escape_markdown(target.name)
    if not (may.view_channel and may.connect):
        raise NotAllowed(f"I may not connect to {name}. Give my role the permission Connect there.")
    is_full = target.user_limit and len(target.members) >= target.user_limit
    is_in = target.guild.me in target.members
    if is_full and not is_in and not may.move_members:
        raise NotAllowed(f"{name} is full. Make room for one more and try again.")


async def _go_to(
    target: discord.VoiceChannel | discord.StageChannel,
    here: discord.VoiceProtocol | None,
) -> None:
    """Connect, or move from where the bot is. Raises VoiceUnavailable when voice does not answer."""
    try:
        if isinstance(here, VoiceClient) and here.is_connected():
            if here.channel.id != target.id:
                await here.move_to(target, timeout=CONNECT_WITHIN_S)
            return
        if here is not None:  # left over from a connection that broke
            await here.disconnect(force=True)
        await target.connect(timeout=CONNECT_WITHIN_S, self_deaf=True)
    except (TimeoutError, OSError, discord.ClientException, discord.ConnectionClosed) as error:
        log.warning("Voice could not be reached: %r", error)
        raise VoiceUnavailable(
            "Discord's voice server did not answer. Try again in a moment."
        ) from error


async def setup(bot: TrainerBot) -> None:
    bot.voice_problem = voice_problem()
    if bot.voice_problem:
        log.warning("Voice is off: %s", bot.voice_problem)
    await bot.add_cog(Voice(bot))
