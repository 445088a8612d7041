"""Answers what is said to the bot: mentions, direct messages and replies to its own words."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import aiohttp
import discord
from channels.db import database_sync_to_async
from discord.ext import commands

from botrunner.faults import explain
from botrunner.replies import LiveReply, close_fence, typing
from dashboard.services import chat, conversations
from trainerbot.errors import ProviderUnavailable
from trainerbot.llm import Delta

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot
    from dashboard.models import Conversation
    from dashboard.services.conversations import Answer

log = logging.getLogger(__name__)

CUT_SHORT = "The bot is being restarted and could not finish this answer. Ask again in a moment."
CANNOT_READ = (
    "I may not read messages here unless they mention me. Reply with the mention switched on."
)
ANSWERED_TYPES = frozenset({discord.MessageType.default, discord.MessageType.reply})

link_discord_reply = database_sync_to_async(conversations.link_discord_reply)


class Chat(commands.Cog):
    def __init__(self, bot: TrainerBot) -> None:
        self.bot = bot
        # One turn at a time in a conversation: the second question of a person
        # is asked with the answer to the first in memory.
        self._turns: WeakValueDictionary[tuple[int, int], asyncio.Lock] = WeakValueDictionary()

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        if message.author.bot or message.webhook_id or message.type not in ANSWERED_TYPES:
            return
        if self.bot.is_stopping or not self._is_for_us(message):
            return
        with self.bot.in_flight.answering():
            context = await self.bot.get_context(message)
            if context.command is not None:
                return
            if context.invoked_with:
                await self._say(message, f"There is no command `!{_bare(context.invoked_with)}`.")
            elif question := self._question(message):
                await self._answer(message, question)
            elif not self.bot.intents.message_content and not message.attachments:
                await self._say(message, CANNOT_READ)

    def _is_for_us(self, message: discord.Message) -> bool:
        me = self.bot.user
        assert me is not None  # nothing is heard before the login
        if message.guild is None or me.mentioned_in(message):
            return True
        replied_to = message.reference.resolved if message.reference else None
        return isinstance(replied_to, discord.Message) and replied_to.author.id == me.id

    def _question(self, message: discord.Message) -> str:
        """Return the words without the mention of the bot, and with names for other mentions."""
        me = self.bot.user
        assert me is not None
        text = message.content
        for mention in (f"<@{me.id}>", f"<@!{me.id}>"):
            text = text.replace(mention, "")
        for user in message.mentions:
            for mention in (f"<@{user.id}>", f"<@!{user.id}>"):
                text = text.replace(mention, f"@{user.display_name}")
        return text.strip()

    async def _answer(self, message: discord.Message, question: str) -> None:
        turn = (message.channel.id, message.author.id)
        lock = self._turns.setdefault(turn, asyncio.Lock())
        live = LiveReply(message)
        said, answer = "", None
        try:
            async with lock, typing(message.channel):
                events = chat.reply(
                    conversation=await open_conversation(message),
                    question=question,
                    discord_message_id=message.id,
                )
                async with aclosing(events):
                    async for event in events:
                        if isinstance(event, Delta):
                            said += event.text
                            live.show(said)
                        else:
                            answer = event
                if answer is None or not answer.text.strip():
                    raise ProviderUnavailable("The model answered with nothing. Ask again.")
                posted = await live.finish(with_mark(answer))
        except asyncio.CancelledError:
            await self._end(live, with_mark(answer) if answer else broken_off(said, CUT_SHORT))
            raise
        except discord.HTTPException as error:
            # Discord does not take the answer itself, so it would take no apology either.
            log.warning("An answer in channel %s was refused: %s", message.channel.id, error)
        except Exception as error:
            sentence = await explain(error, f"The answer to message {message.id}")
            await self._end(live, broken_off(said, sentence))
        else:
            await link_discord_reply(message_id=answer.message_id, discord_message_id=posted[0].id)

    async def _end(self, live: LiveReply, text: str) -> None:
        """Let `text` be the last word, if Discord takes it."""
        try:
            await live.finish(text)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.warning("The end of an answer was refused: %s", error)

    async def _say(self, message: discord.Message, sentence: str) -> None:
        await self._end(LiveReply(message), sentence)


@database_sync_to_async
def open_conversation(message: discord.Message) -> Conversation:
    """Return the one conversation of this person in this channel, or with the bot alone."""
    guild, author = message.guild, message.author
    return conversations.for_discord(
        guild_id=guild.id if guild else None,
        guild_name=guild.name if guild else "",
        channel_id=message.channel.id,
        channel_name=getattr(message.channel, "name", author.display_name),
        discord_user_id=author.id,
        user_name=author.display_name,
    )


def with_mark(answer: Answer) -> str:
    """Return the answer's text; one that a correction gave says so in a small last line."""
    if answer.correction_id is None:
        return answer.text
    return f"{close_fence(answer.text)}\n-# corrected · #{answer.correction_id}"


def broken_off(said: str, sentence: str) -> str:
    """Return what was said so far, with a sentence about why there is no more."""
    return f"{close_fence(said)}\n\n{sentence}" if said.strip() else sentence


def _bare(name: str) -> str:
    """Return what was typed as a command so that it can be shown in one line of code."""
    return name.replace("`", "'")[:40]


async def setup(bot: TrainerBot) -> None:
    await bot.add_cog(Chat(bot))
