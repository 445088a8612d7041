"""Joins and leaves voice channels."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import discord
from discord import voice_client, voice_state
from discord.ext import commands
from django.db import DatabaseError

from botrunner.people import asker_of, requires
from botrunner.voice import opus
from botrunner.voice.places import NO_VOICE_HERE, VoicePlace, VoiceUnavailable
from botrunner.voice.playback import player_of
from dashboard.services import consent, speech
from dashboard.services.access import Permission
from dashboard.services.calls import Place
from trainerbot.errors import ProviderUnavailable

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot
    from botrunner.voice.supervisor import Supervisor
    from dashboard.models import OutboxEvent

log = logging.getLogger(__name__)

NOT_IN_VOICE = "You are not in a voice channel."
BOT_NOT_IN_VOICE = "I am not in a voice channel."
LEFT = "Disconnected from the voice channel."


def voice_problem() -> str:
    """Say what voice lacks on this machine, or "". Text works without."""
    # Not VoiceClient.warn_nacl: whoever makes a Client resets that.
    if not voice_client.has_nacl:
        return "PyNaCl is not installed: pip install 'discord.py[voice]'."
    if not voice_state.has_dave:
        return "davey is not installed: pip install 'discord.py[voice]'."
    try:
        opus.load()
    except ProviderUnavailable as error:
        return str(error)
    return ""


class Voice(commands.Cog, description="Voice"):
    """The commands. `supervisor` keeps the calls; None where voice cannot be used at all."""

    def __init__(self, bot: TrainerBot, supervisor: Supervisor | None) -> None:
        self.bot = bot
        self.supervisor = supervisor

    async def cog_unload(self) -> None:
        if self.supervisor is not None:
            await self.supervisor.close()
        await speech.catch_up()

    # mypy cannot solve the type variables of discord.py's hybrid commands.
    @commands.hybrid_command(description="Joins the voice channel that you are in")  # type: ignore[arg-type]
    @requires(Permission.CHAT)
    async def join(self, context: commands.Context[TrainerBot]) -> None:
        target = _voice_channel_of(context.author)
        if context.guild is None or target is None:
            await context.send(NOT_IN_VOICE)
            return
        if self.supervisor is None or self.bot.voice_problem:
            raise VoiceUnavailable(NO_VOICE_HERE)
        # Discord waits three seconds for an answer, and voice may take longer.
        await context.defer()
        asker = await asker_of(context)
        where = Place(context.channel.id, getattr(context.channel, "name", ""))
        call = await self.supervisor.join(target, text_channel=where, actor=asker.person)
        await context.send(f"Joined {call.name}\n{call.announcement}")
        if context.channel.id == target.id:
            call.note_announced()
        else:
            await call.announce()

    @commands.hybrid_command(description="Leaves the voice channel")  # type: ignore[arg-type]  # as above
    @requires(Permission.CHAT)
    async def leave(self, context: commands.Context[TrainerBot]) -> None:
        if context.guild is None or self.supervisor is None or not self._is_in(context.guild):
            await context.send(BOT_NOT_IN_VOICE)
            return
        await context.defer()
        asker = await asker_of(context)
        player_of(self.bot, context.guild.id).clear()
        # The audit log knows who; a name here would outlive its erasure.
        await self.supervisor.leave(
            context.guild, because="Somebody asked it to leave.", actor=asker.person
        )
        await context.send(LEFT)

    def _is_in(self, guild: discord.Guild) -> bool:
        """Whether the bot is in a call of this guild, or tries to be."""
        is_kept = self.supervisor is not None and guild.id in self.supervisor.calls
        return is_kept or guild.voice_client is not None

    # --- what is told ----------------------------------------------------------------
    @commands.Cog.listener()
    async def on_ready(self) -> None:
        if self.supervisor is not None:
            await self.supervisor.on_ready()

    @commands.Cog.listener()
    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        if self.supervisor is not None:
            await self.supervisor.on_voice_state_update(member, before, after)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        if self.supervisor is not None:
            await self.supervisor.on_guild_remove(guild)

    @commands.Cog.listener()
    async def on_outbox(self, event: OutboxEvent) -> None:
        """Heed at once who does not want to be listened to, and what admins have set."""
        if self.supervisor is None:
            return
        if event.topic == consent.TOPIC:
            said = event.payload
            self.supervisor.note_consent(int(said["discord_user_id"]), bool(said["heard"]))
        elif event.kind == "settings.changed":
            try:
                await self.supervisor.read_settings()
            except DatabaseError as error:
                log.warning("The voice settings could not be read: %s", error)


def _voice_channel_of(
    author: discord.abc.User,
) -> VoicePlace | None:
    """Where they are; a person in a direct message has no voice at all."""
    voice = author.voice if isinstance(author, discord.Member) else None
    return voice.channel if voice else None


async def setup(bot: TrainerBot) -> None:
    bot.voice_problem = voice_problem()
    supervisor = None
    if bot.voice_problem:
        log.warning("Voice is off: %s", bot.voice_problem)
    else:
        # Only now: without its libraries it cannot even be imported.
        from botrunner.cogs.talk import attend
        from botrunner.voice.supervisor import Supervisor

        supervisor = Supervisor(bot, attend=attend)
    await bot.add_cog(Voice(bot, supervisor))
