"""All calls of this process: begun, kept, taken up again after a restart, ended."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

import discord
from channels.db import database_sync_to_async
from django.db import DatabaseError

from botrunner.faults import explain
from botrunner.voice.call import Attend, Call, State
from botrunner.voice.places import NO_VOICE_HERE, VoicePlace, VoiceUnavailable, check_may_join
from dashboard.services import calls
from dashboard.services.access import Person
from dashboard.services.calls import Place, Wish
from trainerbot.errors import TrainerBotError

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

want = database_sync_to_async(calls.want)
unwant = database_sync_to_async(calls.unwant)
wanted = database_sync_to_async(calls.wanted)
report = database_sync_to_async(calls.report)

SETTLED_WITHIN_S: Final = 2.0


class Supervisor:
    """Keeps the bot in the calls that the rows want it in.

    attend: makes whoever takes part in a call. look_s: how often each call is
    looked after.
    """

    def __init__(
        self, bot: TrainerBot, *, attend: Attend | None = None, look_s: float = 0.5
    ) -> None:
        self.bot = bot
        self.attend = attend
        self.look_s = look_s
        self.calls: dict[int, Call] = {}  # by guild, Discord's ids
        self._keeping: dict[int, asyncio.Task[None]] = {}
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    # --- what people want -----------------------------------------------------------
    async def join(
        self, channel: VoicePlace, *, text_channel: Place | None, actor: Person | None
    ) -> Call:
        """Be in `channel`, from wherever in its guild, and stay until `leave`.

        Raises NotAllowed or VoiceUnavailable, in words. A call that has begun
        before goes on trying all the same.
        """
        if self.bot.voice_problem:
            raise VoiceUnavailable(NO_VOICE_HERE)
        guild = channel.guild
        lock = self._locks.setdefault(guild.id, asyncio.Lock())
        async with lock:
            check_may_join(channel)
            former = self.calls.get(guild.id)
            if former is not None and former.ended_because:
                # It is over and about to be put away: what comes now is another call.
                await self._end(former, because=former.ended_because)
            wish = await want(
                discord_guild_id=guild.id,
                guild_name=guild.name,
                channel=Place(channel.id, channel.name),
                text_channel=text_channel,
                actor=actor,
            )
            call = self.calls.get(guild.id)
            is_new = call is None or call.call_id != wish.call_id
            if call is None or is_new:
                call = self._begin(wish)
            else:
                call.send_to(wish)
            try:
                await call.until_connected()
            except TrainerBotError as error:
                if is_new:  # an older one goes on trying
                    await self._end(call, because=str(error))
                raise
        return call

    async def leave(self, guild: discord.Guild, *, because: str, actor: Person | None) -> bool:
        """Leave the call of a guild for good, and forget what was still to be said.

        False if the bot is in none.
        """
        lock = self._locks.setdefault(guild.id, asyncio.Lock())
        async with lock:
            call = self.calls.get(guild.id)
            if call is not None:
                await self._end(call, because=because, actor=actor)
                return True
            here = guild.voice_client
            if here is not None:  # left over: no call keeps it
                await here.disconnect(force=True)
            return here is not None

    # --- what Discord tells -------------------------------------------------------------
    async def on_ready(self) -> None:
        """Be again where the rows want the bot: after a restart, or in a new session."""
        for call in self.calls.values():
            call.forget_connection()
        guild_ids = [guild.id for guild in self.bot.guilds if self.bot.serves(guild.id)]
        try:
            wishes = await wanted(guild_ids)
        except DatabaseError as error:
            log.warning("Which calls are wanted could not be read: %s", error)
            return
        for wish in wishes:
            if wish.discord_guild_id in self.calls:
                continue
            if self.bot.voice_problem:
                await report(wish.call_id, state=State.RECONNECTING, problem=NO_VOICE_HERE)
            else:
                # Whoever came while it was away does not know yet.
                self._begin(wish).owes_announcement = True

    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        call = self.calls.get(member.guild.id)
        if call is None or before.channel == after.channel:
            return
        if member.id == member.guild.me.id:
            # In a channel other than the one it asked for: somebody moved it there.
            if before.channel is not None and isinstance(after.channel, VoicePlace):
                await call.on_moved(after.channel)
        elif after.channel is not None and after.channel.id == call.channel_id:
            if not member.bot:
                await call.on_entered(member.id)
        elif before.channel is not None and before.channel.id == call.channel_id:
            call.on_left(member.id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        if call := self.calls.get(guild.id):
            await self._end(call, because="I was removed from the server.")

    def note_consent(self, discord_user_id: int, heard: bool) -> None:
        """Somebody has said whether they may be listened to."""
        for call in self.calls.values():
            call.note_consent(discord_user_id, heard=heard)

    async def read_settings(self) -> None:
        """The settings of a guild have changed: those of its call with them."""
        for wish in await wanted(list(self.calls)):
            if call := self.calls.get(wish.discord_guild_id):
                call.leaves_after_s = wish.leaves_after_s
                keeps_longer = wish.keeps_audio_days > call.keeps_audio_days
                is_sent_on = not set(wish.heard_by) <= set(call.heard_by)
                call.keeps_audio_days, call.heard_by = wish.keeps_audio_days, wish.heard_by
                if keeps_longer or is_sent_on:  # than they were told
                    await call.announce()

    async def close(self) -> None:
        """Leave every call, and keep the wishes for the next start."""
        ends = []
        for call in list(self.calls.values()):
            participant = call.participant
            await self._stop(call, hurry=True)
            if participant is not None:
                ends.append(asyncio.create_task(participant.settle()))
            try:
                await report(call.call_id, state=State.RECONNECTING, figures={})
            except DatabaseError as error:
                log.warning("That a call is interrupted could not be stored: %s", error)
        if ends:  # how much was heard of an answer is known now
            _, unsettled = await asyncio.wait(ends, timeout=SETTLED_WITHIN_S)
            for task in unsettled:
                task.cancel()

    # --- one call ---------------------------------------------------------------------
    def _begin(self, wish: Wish) -> Call:
        call = Call(self.bot, wish, attend=self.attend, look_s=self.look_s)
        self.calls[call.guild_id] = call
        self._keeping[call.guild_id] = asyncio.create_task(self._keep(call))
        return call

    async def _keep(self, call: Call) -> None:
        """Be in the call until it ends by itself, and say why it has."""
        try:
            because = await call.over()
        except Exception as error:
            reason = await explain(error, "A call")
            because = reason.in_a_line
        call.note_over(because)  # at once: somebody may be waiting for it, and hold the lock
        task = self._keeping.pop(call.guild_id, None)
        assert task is None or task is asyncio.current_task()
        await call.say(f"{because} `/join` calls me back.")
        lock = self._locks.setdefault(call.guild_id, asyncio.Lock())
        async with lock:
            if self.calls.get(call.guild_id) is call:
                await self._end(call, because=because)

    async def _end(self, call: Call, *, because: str, actor: Person | None = None) -> None:
        await self._stop(call)
        try:
            await unwant(call.call_id, because=because, actor=actor)
        except DatabaseError as error:
            log.error("The end of a call could not be stored: %s", error)

    async def _stop(self, call: Call, *, hurry: bool = False) -> None:
        if self.calls.get(call.guild_id) is call:
            del self.calls[call.guild_id]
        task: asyncio.Task[Any] | None = self._keeping.pop(call.guild_id, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        await call.leave(hurry=hurry)
