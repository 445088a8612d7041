"""What was asked while nobody listened: taken up at the start, and after each outage."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from channels.db import database_sync_to_async
from django.db import DatabaseError
from django.utils.timezone import now

from botrunner import people
from botrunner.cogs.chat import addressing, attachments, interactions
from botrunner.cogs.chat.answering import Answering
from botrunner.cogs.chat.words import GOES_ON, broken_off
from botrunner.faults import explain, refusal
from botrunner.quoting import in_a_line
from botrunner.ui.quoting import as_heard
from dashboard.models import Message, Source
from dashboard.services import chat, leftovers, recall
from dashboard.services.places import Place, Rules
from trainerbot.errors import TrainerBotError

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

# Older questions are closed with a sentence in the log: nobody waits for them any more.
TAKEN_UP_FOR = timedelta(minutes=10)
SPOKEN_IN_FOR = timedelta(days=1)
MOST_MISSED = 100  # of a channel
MOST_AT_ONCE = 8
NAME_CHARACTERS = 60
SILENCE = (discord.HTTPException, aiohttp.ClientError, OSError)

close_unanswered = database_sync_to_async(leftovers.close_unanswered)
logged_among = database_sync_to_async(leftovers.logged_among)
open_questions = database_sync_to_async(leftovers.open_questions)
open_among = database_sync_to_async(leftovers.open_among)
recent_places = database_sync_to_async(leftovers.recent_places)
resume = chat.hop(chat.resume)
give_up = chat.hop(chat.give_up)


class CatchingUp:
    """Answers, once each, what a former process left open and what came while none listened."""

    def __init__(self, bot: TrainerBot, cog: Answering) -> None:
        self._bot = bot
        self._cog = cog
        self._began_at = now()
        self._has_taken_up = False
        self._one_at_a_time = asyncio.Lock()
        self._room = asyncio.Semaphore(MOST_AT_ONCE)

    async def run(self) -> None:
        """Do so now. What cannot be reached is left alone; nothing is raised."""
        async with self._one_at_a_time:
            try:
                if not self._has_taken_up:
                    self._has_taken_up = True
                    await self._take_up()
                await self._hear_missed()
            except (TrainerBotError, DatabaseError) as error:
                log.warning("What was asked meanwhile could not be read: %s", error)

    # --- questions that were logged ---------------------------------------------------
    async def _take_up(self) -> None:
        # What came since then is being answered at this moment.
        left = [
            question
            for question in await open_questions(Source.DISCORD, before=self._began_at)
            if self._bot.serves(_guild_id(question))  # else it is another process's to answer
        ]
        too_old = now() - TAKEN_UP_FOR
        thinking = await open_among([q.pk for q in left])
        begun = [
            q
            for q in left
            if q.created_at < too_old and (q.begun_discord_message_id or q.pk in thinking)
        ]
        await asyncio.gather(*(self._each(self._end, question) for question in begun))
        await close_unanswered(Source.DISCORD, before=too_old)
        left = [question for question in left if question.created_at >= too_old]
        if left:
            log.info("Answering what was left open: %d", len(left))
        await asyncio.gather(*(self._each(self._answer, question) for question in left))

    async def _each(self, act: Callable[[Message], Awaitable[None]], question: Message) -> None:
        """Do so with one of them. Whatever goes wrong with it keeps no other one waiting."""
        async with self._room:
            try:
                await act(question)
            except Exception as error:
                await explain(error, f"The late answer to question {question.pk}")

    async def _end(self, question: Message) -> None:
        """Say where its answer had begun that there will be no more; else where it was asked."""
        said, ids = "", []
        if begun := await self._fetch(question, question.begun_discord_message_id):
            said = begun.content.removesuffix(GOES_ON).rstrip()
            live = self._cog.live(begun, question, begun)
            ids = [
                each.id for each in await self._cog.end(live, broken_off(said, leftovers.STOPPED))
            ]
        elif question.begun_discord_message_id is None:
            ended = await interactions.end(self._bot, question, leftovers.STOPPED)
            if ended is None:
                await self._tell(question)
            else:
                ids = [ended]
        await give_up(
            question,
            model="",
            error=leftovers.STOPPED,
            partial=said,
            discord_message_ids=ids,
        )

    async def _tell(self, question: Message) -> None:
        """Say in the channel whose question has no answer: Discord shows it nowhere else."""
        person, place = question.conversation.discord_user, self._place(question)
        if place is None:
            return
        name = in_a_line(person.name, NAME_CHARACTERS) if person else "Somebody"
        try:
            await place.send(f"{name}: {leftovers.STOPPED}", nonce=f"stopped-{question.pk}")
        except SILENCE as error:
            log.info("That a question has no answer could not be said: %s", error)

    async def _answer(self, question: Message) -> None:
        asked = await self._fetch(question, question.discord_message_id)
        if asked is None:
            # Removed since, or a slash command, which cannot be answered by another process.
            await self._end(question)
            return
        begun = await self._begun(question, asked)
        found = await attachments.read(asked.attachments)
        await recall.foresee(question.content)
        ready = await resume(question, self._place_of(asked), tuple(found.images))
        live = self._cog.live(asked, question, begun)
        heard = ready.utterance
        if heard is not None and not question.content.strip():
            # What nobody could make out is nothing that a model can be asked.
            reason = refusal(heard.problem, f"The late answer to question {question.pk}")
            await self._cog.break_off(ready, live, "", reason)
            return
        notes = [*found.notes, *([heard.problem] if heard and heard.problem else [])]
        heading = as_heard(heard.text if heard else "")
        await self._cog.deliver(ready, live, notes, heading=heading)

    def _place(self, question: Message) -> Any:
        """The channel that a question was asked in."""
        channel = question.conversation.discord_channel
        if channel is None:
            return None
        guild_id = channel.guild.discord_guild_id if channel.guild else None
        return self._channel(guild_id, channel.discord_channel_id)

    def _place_of(self, asked: discord.Message) -> Any:
        """How the bot behaves there. That the asker may ask was found when the question came."""

        def place(rules: Rules) -> Place:
            guild_id = asked.guild.id if asked.guild else None
            return rules.place(guild_id, *people.channel_ids(asked.channel))

        return place

    async def _begun(self, question: Message, asked: discord.Message) -> discord.Message | None:
        """The message in which the answer had begun: by our log, else by looking for it."""
        if question.begun_discord_message_id:
            return await self._fetch(question, question.begun_discord_message_id)
        me = self._bot.user
        try:
            async for message in asked.channel.history(after=asked, limit=MOST_MISSED):
                reference = message.reference
                if reference and message.author == me and reference.message_id == asked.id:
                    return message
        except SILENCE as error:
            log.info("What follows a question cannot be read: %s", error)
        return None

    async def _fetch(self, question: Message, message_id: int | None) -> discord.Message | None:
        place = self._place(question)
        if place is None or message_id is None:
            return None
        try:
            message: discord.Message = await place.fetch_message(message_id)
        except SILENCE as error:
            log.info("A message cannot be read (any more): %s", error)
            return None
        return message

    # --- messages that nobody heard -----------------------------------------------------
    async def _hear_missed(self) -> None:
        places = await recent_places(now() - SPOKEN_IN_FOR)
        missed = [
            message
            for place in places
            if self._bot.serves(place.guild_id)
            for message in await self._missed_in(self._channel(place.guild_id, place.channel_id))
        ]
        # Not only what came after the newest that is logged: whoever waited for their
        # turn, or for their file to be read, was overtaken by others.
        logged = await logged_among([message.id for message in missed])
        missed = [message for message in missed if message.id not in logged]
        if missed:
            log.info("Hearing what was said meanwhile: %d", len(missed))
        await asyncio.gather(*(self._hear(message) for message in missed))

    async def _missed_in(self, channel: Any) -> list[discord.Message]:
        """What people said in the last ten minutes and we did not reply to, oldest first."""
        after = discord.Object(discord.utils.time_snowflake(now() - TAKEN_UP_FOR))
        said, answered = [], set()
        try:
            # The newest of them, where there are more.
            async for message in channel.history(
                after=after, limit=MOST_MISSED, oldest_first=False
            ):
                if message.author == self._bot.user and message.reference:
                    answered.add(message.reference.message_id)
                elif addressing.is_of_a_person(message):
                    said.append(message)
        except SILENCE as error:
            log.info("What was said meanwhile cannot be read: %s", error)
        return [message for message in reversed(said) if message.id not in answered]

    async def _hear(self, message: discord.Message) -> None:
        async with self._room:
            guild = message.guild
            if guild is not None and isinstance(message.author, discord.User):
                # A message that is read later comes without its author's roles.
                try:
                    message.author = guild.get_member(
                        message.author.id
                    ) or await guild.fetch_member(message.author.id)
                except SILENCE as error:
                    log.info("A member cannot be looked up: %s", error)
                    return
            await self._cog.hear(message)

    def _channel(self, guild_id: int | None, channel_id: int) -> Any:
        known = self._bot.get_channel(channel_id)
        if known is not None:
            return known
        kind = discord.ChannelType.private if guild_id is None else None
        return self._bot.get_partial_messageable(channel_id, guild_id=guild_id, type=kind)


def _guild_id(question: Message) -> int | None:
    channel = question.conversation.discord_channel
    return channel.guild.discord_guild_id if channel and channel.guild else None
