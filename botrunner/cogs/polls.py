"""Blind votes as polls: what the dashboard asks of the bot about them, as tasks."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Final

import discord
from channels.db import database_sync_to_async

from botrunner.errands import errand
from botrunner.quoting import in_a_line, quoted
from botrunner.replies import MAX_CHARACTERS, width
from dashboard.services.suites import polls, votes
from trainerbot.errors import NotAllowed

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot
    from dashboard.models import Task

QUESTION: Final = "Which answer is better?"
# In the order of their numbers on Discord, which begin with 1. Discord takes 55 characters.
CHOICES: Final = {
    "a": "A is better",
    "b": "B is better",
    "tie": "Both are as good",
    "neither": "Both are bad",
}
MOST_QUESTION: Final = 1_000
MOST_VOTERS: Final = votes.MOST_POLLED  # of one choice
OVER: Final = 520_001  # Discord's code of a poll that has ended
NO_POLLS: Final = (
    "The bot may not post polls there. Give its role the permissions View Channel, "
    "Send Messages and Create Polls in that channel."
)
GONE: Final = "That channel is gone, or the bot was removed from the server."
DELETED: Final = "The poll was deleted on Discord before it was counted."
TOO_LONG: Final = "These answers do not fit into a message of Discord's."
NOT_TAKEN: Final = "Discord does not take this poll."

to_post = database_sync_to_async(polls.to_post)
posted = database_sync_to_async(polls.posted)
to_count = database_sync_to_async(polls.to_count)
asks_who = database_sync_to_async(polls.asks_who)
count_later = database_sync_to_async(polls.count_later)
keep_polled = database_sync_to_async(votes.keep_polled)
failed = database_sync_to_async(polls.failed)
message_of = database_sync_to_async(polls.message_of)


@errand(polls.POST)
async def post(bot: TrainerBot, task: Task) -> dict[str, Any]:
    """Post a question with two answers and a poll on them, once."""
    pk = task.args["poll"]
    posting = await to_post(pk)
    if posting is None:
        return {}
    words = text(posting)
    if width(words) > MAX_CHARACTERS:
        raise await _given_up(pk, TOO_LONG)
    channel = bot.get_channel(posting.channel_id)
    if isinstance(channel, discord.abc.GuildChannel) and channel.guild.me is not None:
        mine = channel.permissions_for(channel.guild.me)
        if not (mine.view_channel and mine.send_messages and mine.send_polls):
            raise await _given_up(pk, NO_POLLS)
    place = bot.get_partial_messageable(posting.channel_id, guild_id=posting.guild_id)
    poll = discord.Poll(QUESTION, datetime.timedelta(hours=posting.hours))
    for choice in CHOICES.values():
        poll.add_answer(text=choice)
    try:
        # With a nonce Discord posts it once, though this may be a second try.
        sent = await place.send(words, poll=poll, nonce=f"poll-{pk}")
    except discord.DiscordServerError:
        raise  # it is away, and is asked again later
    except discord.NotFound as error:
        raise await _given_up(pk, GONE) from error
    except discord.Forbidden as error:
        raise await _given_up(pk, NO_POLLS) from error
    except discord.HTTPException as error:
        raise await _given_up(pk, NOT_TAKEN) from error
    ends_at = sent.poll.expires_at if sent.poll is not None else None
    over = ends_at or sent.created_at + datetime.timedelta(hours=posting.hours)
    await posted(pk, message_id=sent.id, ends_at=over)
    return {"message_id": str(sent.id), "url": sent.jump_url}


@errand(polls.COUNT)
async def count(bot: TrainerBot, task: Task) -> dict[str, Any]:
    """Keep how many chose what, once Discord has counted. Before its time only if asked to."""
    pk = task.args["poll"]
    row = await to_count(pk)
    if row is None or row.discord_message_id is None:
        return {}
    channel = bot.get_partial_messageable(row.discord_channel_id)
    try:
        message = await channel.fetch_message(row.discord_message_id)
        found = message.poll
        if found is not None and task.args.get("end") and not found.is_finalised():
            await _end(message)
            found = (await channel.fetch_message(row.discord_message_id)).poll
        if found is None:
            raise await _given_up(pk, DELETED)
        if not found.is_finalised():
            await count_later(pk)
            return {"counted": False}
        voters = await _voters(found) if await asks_who() else {}
    except discord.NotFound as error:
        raise await _given_up(pk, DELETED) from error
    except discord.Forbidden as error:
        raise await _given_up(pk, NO_POLLS) from error
    numbers = {answer.id: answer.vote_count for answer in found.answers}
    counts = {choice: numbers.get(at, 0) for at, choice in enumerate(CHOICES, start=1)}
    return {"counted": await keep_polled(row, counts=counts, voters=voters)}


async def _voters(poll: discord.Poll) -> dict[str, set[int]]:
    """Who chose what, by Discord's ids; Discord tells a hundred at a time."""
    chosen = dict(enumerate(CHOICES, start=1))
    return {
        chosen[answer.id]: {each.id async for each in answer.voters(limit=MOST_VOTERS)}
        for answer in poll.answers
        if answer.vote_count and answer.id in chosen
    }


@errand(polls.DROP)
async def drop(bot: TrainerBot, task: Task) -> dict[str, Any]:
    """Delete the message of a poll, because its words were erased."""
    where = await message_of(task.args["poll"])
    if where is None:
        return {}
    channel_id, message_id = where
    try:
        await bot.get_partial_messageable(channel_id).get_partial_message(message_id).delete()
    except discord.NotFound:
        return {"deleted": False}  # somebody was faster
    return {"deleted": True}


def text(posting: polls.Posting) -> str:
    """The question and both answers, whose markup and mentions do nothing."""
    return "\n".join(
        (
            f"🗳️ **{in_a_line(posting.question, MOST_QUESTION)}**",
            *("**A**", _block(posting.a), "**B**", _block(posting.b)),
            "-# Which model said what is told after the poll, on the dashboard.",
        )
    )


def _block(words: str) -> str:
    return "\n".join(f"> {line}" for line in quoted(words, MAX_CHARACTERS).split("\n"))


async def _end(message: discord.Message) -> None:
    """End a poll that may be over by now: a try before, unanswered, may have ended it."""
    try:
        await message.end_poll()
    except discord.HTTPException as error:
        if error.code != OVER:
            raise


async def _given_up(pk: int, why: str) -> NotAllowed:
    """Say it beside the poll, and return what the task says."""
    await failed(pk, why)
    return NotAllowed(why)


async def setup(bot: TrainerBot) -> None:
    """There is no cog: loading this has registered its errands."""
