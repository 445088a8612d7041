"""What Discord sees of a decision: the old answer in its new words, and a word to the reporter."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import discord
from channels.db import database_sync_to_async

from botrunner.quoting import in_a_line
from botrunner.replies import MAX_CHARACTERS, close_fence, split
from botrunner.replies.live import MOST_MESSAGES
from botrunner.ui import verdict
from botrunner.ui.quoting import as_heard
from dashboard.models import Correction, DiscordUser, Message
from dashboard.services import cards, utterances

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot

log = logging.getLogger(__name__)

words_now = database_sync_to_async(cards.words_now)
heard_in = database_sync_to_async(utterances.heard_in)
REST_IN_FILE = "\n… the whole answer is in the file."
NAME_CHARACTERS = 60
NOTE_CHARACTERS = 500


async def mend(bot: TrainerBot, answer: Message) -> None:
    """Let the answer on Discord show the words that count today.

    What was deleted stays deleted. Raises discord.HTTPException when Discord
    is in trouble.
    """
    words, correction_id = await words_now(answer)
    text = as_heard(await heard_in(answer.reply_to_id)) + close_fence(words)
    mark = f"\n-# corrected · #{correction_id}" if correction_id is not None else ""
    ids = [answer.discord_message_id, *answer.discord_parts]
    parts = split(f"{text}{mark}")
    files: list[discord.File] = []
    if len(parts) > len(ids):
        room = MAX_CHARACTERS - len(mark) - len(REST_IN_FILE)
        short = split(text, room)[len(ids) - 1]
        parts = [*parts[: len(ids) - 1], f"{short}{REST_IN_FILE}{mark}"]
        files = [discord.File(io.BytesIO(words.encode()), "answer.txt")]
    for number, message_id in enumerate(ids):
        is_last = number == len(parts) - 1
        for message in _places(bot, answer, message_id):
            try:
                if number >= len(parts):
                    await message.delete()
                elif is_last:
                    await _edit_last(message, parts[number], files, answer)
                else:
                    await message.edit(content=parts[number])
            except discord.NotFound:
                continue  # not there: perhaps in the thread of the question
            except discord.Forbidden as refusal:
                log.info("A corrected answer cannot be mended: %s", refusal)
            break


async def tell(bot: TrainerBot, correction: Correction, person: DiscordUser) -> None:
    """Say to whoever wrote a correction what became of it: once, where they wrote or directly."""
    if correction.state == Correction.State.APPROVED:
        name = in_a_line(person.name, NAME_CHARACTERS)
        text = f"Thanks, {name}: your correction #{correction.pk} is in force."
        if await _say_in_channel(bot, correction, text):
            return
    else:
        note = in_a_line(correction.review_note, NOTE_CHARACTERS)
        text = f"Thanks for your correction #{correction.pk}. The trainers decided against it" + (
            f": {note}" if note else "."
        )
    try:
        channel = await bot.create_dm(discord.Object(person.discord_user_id))
        await channel.send(text, nonce=_nonce(correction))
    except (discord.Forbidden, discord.NotFound) as refusal:
        log.info("Nobody takes the word about correction %s: %s", correction.pk, refusal)


async def _say_in_channel(bot: TrainerBot, correction: Correction, text: str) -> bool:
    """Reply to the corrected answer without a ping. False where nobody could read it."""
    answer = correction.message
    if answer is None or answer.discord_message_id is None:
        return False
    for message in _places(bot, answer, answer.discord_message_id):
        reference = message.to_reference(fail_if_not_exists=False)
        try:
            await message.channel.send(
                text, reference=reference, mention_author=False, nonce=_nonce(correction)
            )
        except (discord.NotFound, discord.Forbidden):
            continue
        return True
    return False


def _places(bot: TrainerBot, answer: Message, message_id: int) -> Sequence[discord.PartialMessage]:
    """Where a message of an answer may be: its channel, or the thread that a long one goes on in."""
    channel = answer.conversation.discord_channel
    if channel is None:
        return []
    guild_id = channel.guild.discord_guild_id if channel.guild else None
    posted = [answer.discord_message_id, *answer.discord_parts]
    before = posted[: posted.index(message_id)][:MOST_MESSAGES]
    # Discord gives a thread the id of the message it is made of: the last one in the channel.
    threads = before[::-1] if guild_id is not None else []
    ids = [channel.discord_channel_id, *(each for each in threads if each is not None)]
    return [
        bot.get_partial_messageable(each, guild_id=guild_id).get_partial_message(message_id)
        for each in ids
    ]


async def _edit_last(
    message: discord.PartialMessage, text: str, files: list[discord.File], answer: Message
) -> None:
    view = verdict.buttons(answer.reply_to_id) if answer.reply_to_id else None
    for file in files:
        file.reset()
    await message.edit(content=text, attachments=files, view=view)


def _nonce(correction: Correction) -> str:
    return f"told-{correction.pk}-{correction.state}"[:25]
