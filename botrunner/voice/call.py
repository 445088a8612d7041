"""One call: being in a voice channel for as long as that is wanted, whatever happens to it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import discord
from channels.db import database_sync_to_async
from django.db import DatabaseError

from botrunner.voice.capture import Capture
from botrunner.voice.connection import End, ReceivingClient
from botrunner.voice.consents import Consents
from botrunner.voice.hearing import Hearing
from botrunner.voice.newcomers import Newcomers
from botrunner.voice.participant import Participant
from botrunner.voice.places import VoicePlace, VoiceUnavailable, check_may_join
from botrunner.voice.sighting import figures_of, sight_of
from botrunner.voice.written import announcement, names_of, reminder, write
from dashboard.models import VoiceCall
from dashboard.services import calls
from dashboard.services.calls import Place, Wish
from trainerbot.errors import TrainerBotError
from trainerbot.speech import Pcm

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

State = VoiceCall.State
report = database_sync_to_async(calls.report)
moved = database_sync_to_async(calls.moved)

CONNECT_WITHIN_S: Final = 15.0
REJOIN_PAUSES_S: Final = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
REPORT_EVERY_S: Final = 2.0
KEEP_OPEN_EVERY_S: Final = 5.0
HEAL_EVERY_S: Final = 60.0
TELL_LOST_AFTER_S: Final = 5.0


Attend = Callable[["Call"], Participant]


class Call:
    """Keeps the bot in the channel that `wish` names.

    It connects, comes back, follows where a moderator moves it, looks after
    its hearing and its company, and reports to the row. `over` is awaited by
    whoever holds it: it returns why the call has ended, in words for people.

    attend: makes whoever takes part, once it is connected for the first time.
    """

    def __init__(
        self, bot: TrainerBot, wish: Wish, *, attend: Attend | None = None, look_s: float = 0.5
    ) -> None:
        self.bot = bot
        self.call_id = wish.call_id
        self.guild_id = wish.discord_guild_id
        self.channel_id = wish.discord_channel_id
        self.text_channel_id = wish.discord_text_channel_id
        self.leaves_after_s = wish.leaves_after_s
        self.keeps_audio_days = wish.keeps_audio_days
        self.heard_by = wish.heard_by
        self.client: ReceivingClient | None = None
        self.participant: Participant | None = None
        self.problem = ""
        self.owes_announcement = False  # once it is connected
        self.ended_because = ""  # in words, once `over` has returned
        self._attend = attend
        self._look_s = look_s
        self._capture: Capture | None = None
        self._hearing = Hearing("")
        self.consents = Consents(self._is_bot)
        self._newcomers = Newcomers(announce=self.announce, remind=self._remind, people=self.people)
        self._is_sent_elsewhere = False
        self._is_wanted = True
        self._alone_since: float | None = None
        self._out_since: float | None = None
        self._state = State.JOINING
        self._reported: dict[str, Any] = {}
        self._reported_at = self._kept_open_at = self._healed_at = -1e9
        self._refused: TrainerBotError | None = None
        self._tried = asyncio.Event()
        self._hurry = asyncio.Event()

    # --- for those who take part ------------------------------------------------------
    @property
    def guild(self) -> discord.Guild | None:
        return self.bot.get_guild(self.guild_id)

    @property
    def channel(self) -> VoicePlace | None:
        channel = self.bot.get_channel(self.channel_id)
        return channel if isinstance(channel, VoicePlace) else None

    @property
    def name(self) -> str:
        """Of the channel, for people."""
        return discord.utils.escape_markdown(self.channel.name) if self.channel else "the channel"

    def people(self) -> list[int]:
        """Who is in the channel beside bots, by Discord's ids."""
        channel = self.channel
        if channel is None:
            return []
        return [who for who in channel.voice_states if not self._is_bot(who)]

    async def say(self, text: str) -> None:
        """Write where this call's words are written, if the bot may. Never raises."""
        if self.text_channel_id is not None and text:
            await self._write(text, self.text_channel_id)

    async def announce(self) -> None:
        """Tell those in the channel, in its own chat, that they are listened to. Never raises."""
        self.note_announced()
        await self._write(self.announcement)

    def note_announced(self) -> None:
        """Those in the channel were told just now."""
        self._newcomers.note_announced()

    async def _remind(self, people: Collection[int]) -> None:
        line = reminder(
            names_of(self.guild, people),
            keeps_audio_days=self.keeps_audio_days,
            heard_by=self.heard_by,
        )
        await self._write(line)

    @property
    def announcement(self) -> str:
        return announcement(keeps_audio_days=self.keeps_audio_days, heard_by=self.heard_by)

    async def _write(self, text: str, channel_id: int | None = None) -> None:
        channel_id = channel_id or self.channel_id
        await write(self.bot, text, guild_id=self.guild_id, channel_id=channel_id)

    # --- for the supervisor -------------------------------------------------------------
    async def until_connected(self) -> None:
        """Return once it is in its channel. Raises what the first try met."""
        await self._tried.wait()
        if self._refused is not None:
            raise self._refused

    def send_to(self, wish: Wish) -> None:
        """Go to another channel, or have the words written elsewhere; try at once, where lost."""
        self.text_channel_id = wish.discord_text_channel_id
        self._is_sent_elsewhere = self.channel_id != wish.discord_channel_id
        self.channel_id = wish.discord_channel_id
        if self._is_sent_elsewhere or self._refused is not None:
            self._refused = None
            self._tried.clear()
            self._hurry.set()

    async def over(self) -> str:
        """Be in the call until it has ended by itself; why it has."""
        n_failed = 0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(
                    REJOIN_PAUSES_S[min(n_failed, len(REJOIN_PAUSES_S) - 1)]
                ):
                    await self._hurry.wait()
            self._hurry.clear()
            if self.guild is not None and self.channel is None:
                return "The channel is gone."
            try:
                await self._connect()
            except TrainerBotError as error:
                self._refused = error
                self._tried.set()
                n_failed += 1
                # Of the first try whoever asked for it hears.
                tell = n_failed == 1 and self._state is not State.JOINING
                await self._trouble(str(error), tell=tell)
                continue
            n_failed, self._refused = 0, None
            self._tried.set()
            if because := await self._stay():
                return because

    def note_over(self, because: str) -> None:
        """Let nobody wait for it any more."""
        self.ended_because = because
        self._refused = VoiceUnavailable(because)
        self._tried.set()

    async def leave(self, *, hurry: bool = False) -> None:
        """Be in no channel any more; the row is the supervisor's. hurry: nothing follows."""
        if not self._tried.is_set():
            self.note_over(f"I was called out of {self.name}.")
        self._close_ears()
        if self.participant is not None:
            self.participant.close()
            self.participant = None
        self.consents.close()
        self._newcomers.close()
        guild = self.guild
        here = guild.voice_client if guild else None
        for client in {here, self.client} - {None}:
            if isinstance(client, ReceivingClient) and client.ended.is_set():
                continue
            if hurry and isinstance(client, ReceivingClient):
                await client.hang_up()
            elif client is not None:
                await client.disconnect(force=True)
        self.client = None

    def forget_connection(self) -> None:
        """Discord has begun a new session and knows of no call: be in it anew."""
        guild = self.guild
        if self.client is not None and (guild is None or guild.voice_client is not self.client):
            self.client.abandon()

    async def on_moved(self, channel: VoicePlace) -> None:
        """A moderator has put the bot into another channel: that is where it is wanted now."""
        if channel.id == self.channel_id:
            return
        self.channel_id = channel.id
        self._hearing = Hearing(self.name)
        await self.announce()  # to people who have not called it
        await self._kept(moved(self.call_id, channel=Place(channel.id, channel.name)))

    async def on_entered(self, discord_user_id: int) -> None:
        self.consents.is_heard(discord_user_id)  # so that it is known before their first word
        await self._newcomers.entered(discord_user_id)

    def on_left(self, discord_user_id: int) -> None:
        if self.participant is not None:
            self.participant.on_left(discord_user_id)

    def note_consent(self, discord_user_id: int, *, heard: bool) -> None:
        """Somebody has said whether they may be listened to; counts for what they say now, too."""
        self.consents.note(discord_user_id, heard)
        if not heard and self.participant is not None:
            self.participant.on_refused(discord_user_id)

    # --- connected ----------------------------------------------------------------------
    async def _connect(self) -> None:
        channel = self.channel
        if channel is None:
            raise VoiceUnavailable("Discord does not show me the server just now.")
        check_may_join(channel)
        here = channel.guild.voice_client
        self._is_sent_elsewhere = False
        try:
            if isinstance(here, ReceivingClient) and here.is_connected() and here is self.client:
                await here.move_to(channel, timeout=CONNECT_WITHIN_S)
                if not here.is_connected() or here.channel.id != channel.id:
                    raise TimeoutError
            else:
                self._close_ears()
                if here is not None:  # left over from a connection that broke
                    await here.disconnect(force=True)
                self.client = await channel.connect(timeout=CONNECT_WITHIN_S, cls=ReceivingClient)
        except (
            TimeoutError,
            OSError,
            aiohttp.ClientError,
            discord.ClientException,
            discord.ConnectionClosed,
        ) as error:
            log.warning("Voice could not be reached: %r", error)
            raise VoiceUnavailable(
                "Discord's voice server did not answer. Try again in a moment."
            ) from error
        self._open_ears()
        self._hearing = Hearing(self.name)
        self.problem = ""
        await self._kept(report(self.call_id, problem=""))
        await self._be(State.CONNECTED)
        if self.owes_announcement:
            self.owes_announcement = False
            await self.announce()

    def _open_ears(self) -> None:
        if self._capture is not None or self.client is None:
            return
        if self.participant is None and self._attend is not None:
            self.participant = self._attend(self)
        for who in self.people():
            self.consents.is_heard(who)
        self._capture = Capture(self.client, self._on_frame, is_heard=self.consents.is_heard)
        self._capture.start()

    def _close_ears(self) -> None:
        if self._capture is not None:
            self._capture.stop()
            self._capture = None
            if self.participant is not None:
                self.participant.on_lost()  # else what is heard next would go on with it

    def _on_frame(self, discord_user_id: int, frame: Pcm) -> None:
        """On the capture's thread."""
        participant = self.participant
        if participant is not None:
            participant.on_frame(discord_user_id, frame)

    def _is_bot(self, discord_user_id: int) -> bool:
        guild = self.guild
        member = guild.get_member(discord_user_id) if guild else None
        return member is not None and member.bot

    # --- staying --------------------------------------------------------------------------
    async def _stay(self) -> str:
        """Look after the call while it goes on; why it has ended, or "" to connect again."""
        client = self.client
        assert client is not None
        clock = asyncio.get_running_loop().time
        while not self._is_sent_elsewhere:
            try:
                async with asyncio.timeout(self._look_s):
                    await client.ended.wait()
            except TimeoutError:
                if because := await self.look(clock()):
                    return because
                if not self._is_wanted:  # since before it was connected
                    return "I was called out of voice."
                continue
            self._close_ears()
            if client.end is End.REMOVED:
                return f"A moderator removed me from {self.name}."
            log.info("The call in guild %s was lost; connecting again.", self.guild_id)
            await self._be(State.RECONNECTING)
            return ""
        return ""

    async def look(self, now: float) -> str:
        """Do what is due at `now`; why the call is to end, or ""."""
        client = self.client
        if client is None or not client.is_connected():
            self._out_since = now if self._out_since is None else self._out_since
            await self._be(State.RECONNECTING)
            if now - self._out_since >= TELL_LOST_AFTER_S:
                lost = f"I lost the connection to {self.name}, hear nothing, and try to get back."
                await self._trouble(lost, tell=self.problem != lost)
            return ""
        self._out_since = None
        await self._be(State.CONNECTED)
        people = self.people()
        if people or not self.bot.is_ready():
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = now
        elif self.leaves_after_s and now - self._alone_since >= self.leaves_after_s:
            return f"Nobody else was in {self.name} any more."
        if now - self._kept_open_at >= KEEP_OPEN_EVERY_S:
            self._kept_open_at = now
            client.keep_path_open()
        fault = self._hearing.fault(sight_of(client, self._capture, people), now)
        sentence = fault.sentence if fault else ""
        if sentence != self.problem:
            await self._trouble(sentence, tell=True)
        if fault and fault.can_heal and now - self._healed_at >= HEAL_EVERY_S:
            self._healed_at = now
            await client.begin_anew()
        await self._report(client, people, now)
        return ""

    async def _report(self, client: ReceivingClient, people: list[int], now: float) -> None:
        """Let the row know the figures: who speaks at once, the rest now and then."""
        speaking = sorted(self.participant.speaking) if self.participant else []
        latency_s = client.average_latency
        figures = figures_of(client, self._capture, people, speaking)
        is_due = now - self._reported_at >= REPORT_EVERY_S
        has_turned = figures["speaking"] != self._reported.get("speaking", [])
        if figures == self._reported or not (is_due or has_turned):
            return
        self._reported, self._reported_at = figures, now
        latency_ms = round(1000 * latency_s) if latency_s < 60 else None
        await self._kept(report(self.call_id, figures={**figures, "latency_ms": latency_ms}))

    async def _be(self, state: VoiceCall.State) -> None:
        if state is not self._state:
            self._state = state
            await self._kept(report(self.call_id, state=state))

    async def _trouble(self, sentence: str, *, tell: bool) -> None:
        """Note what is wrong, or that nothing is any more, and say it where it is new."""
        is_new = sentence != self.problem
        self.problem = sentence
        if is_new:
            await self._kept(report(self.call_id, problem=sentence))
        if tell:
            await self.say(sentence)

    async def _kept(self, writing: Awaitable[bool]) -> None:
        """Write to the row; a call goes on without, but not when the row has ended."""
        try:
            self._is_wanted = await writing
        except DatabaseError as error:
            log.warning("How a call goes could not be stored: %s", error)
