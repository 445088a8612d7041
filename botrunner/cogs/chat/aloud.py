"""Answers that are also spoken: where somebody wants it, after their text stands."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import aiohttp
import discord
from channels.db import database_sync_to_async

from botrunner.faults import explain
from botrunner.sounds import send_spoken
from botrunner.voice.playback import Speech, is_with, speak_in_call
from dashboard.models import VoiceSettings
from dashboard.services import speech, utterances

if TYPE_CHECKING:
    from dashboard.services.chat import Ready

log = logging.getLogger(__name__)

Speaks = VoiceSettings.Speaks
NEVER_HERE: Final = "I speak no answers on this server; its admins have switched that off."
NOT_SPOKEN: Final = "I could not speak this answer."
NO_FILES: Final = "Discord does not let me attach sounds here."

note_spoken = database_sync_to_async(utterances.note_spoken)


def is_wanted(ready: Ready, *, asked_for: bool) -> bool:
    """Whether an answer shall be spoken as well."""
    if ready.place.speaks == Speaks.ALWAYS or asked_for:
        return True
    was_heard = ready.utterance is not None and bool(ready.utterance.text)
    return was_heard and ready.place.speaks == Speaks.TO_SPEECH


async def speak(
    bot: discord.Client,
    ready: Ready,
    text: str,
    *,
    asker: discord.abc.User,
    to: discord.Message,
    guild_id: int | None,
    asked_for: bool,
) -> None:
    """Speak an answer: in the call, to an asker who is in it with the bot, else in reply to its
    text. Says there why it could not. Raises nothing."""
    if not is_wanted(ready, asked_for=asked_for):
        return
    if ready.place.speaks == Speaks.NEVER:
        await _say(bot, to, NEVER_HERE)
        return
    try:
        language = speech.language_for(None, ready.place)
        if is_with(asker) and isinstance(asker, discord.Member):
            said = speak_in_call(asker.guild, text, language, asker_id=asker.id)
            if said is not None:
                await _hear_out(bot, ready, said, to=to)
                return
        await send_spoken(bot, text, language=language, guild_id=guild_id, to=to, payer_id=asker.id)
        if ready.utterance is not None:
            await note_spoken(question_id=ready.question.pk, text=text)
    except speech.NothingToSay as error:
        # Where every answer is spoken, code and emoji alone are no news.
        if ready.place.speaks != Speaks.ALWAYS or asked_for:
            await _say(bot, to, str(error))
    except speech.CannotSpeak as error:
        await _say(bot, to, f"{NOT_SPOKEN} {error}")
    except discord.Forbidden:
        await _say(bot, to, f"{NOT_SPOKEN} {NO_FILES}")
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        # The text stands; whatever refused the sound would refuse a sentence about it.
        log.warning("A spoken answer was refused: %s", error)
    except Exception as error:
        reason = await explain(error, f"Speaking the answer to question {ready.question.pk}")
        await _say(bot, to, f"{NOT_SPOKEN} {reason.in_a_line}")


async def _hear_out(
    bot: discord.Client, ready: Ready, said: Speech, *, to: discord.Message
) -> None:
    """Wait until an answer was spoken in a call, and note how much of it was heard."""
    heard = await said.over()
    if heard.text and ready.utterance is not None:
        await note_spoken(question_id=ready.question.pk, text=heard.text)
    if heard.problem:
        await _say(bot, to, f"{NOT_SPOKEN} {heard.problem}")


async def _say(bot: discord.Client, to: discord.Message, sentence: str) -> None:
    try:
        await bot.get_partial_messageable(to.channel.id).send(
            f"-# {sentence}",
            reference=to.to_reference(fail_if_not_exists=False),
            mention_author=False,
            nonce=f"{to.id}-unsaid",
        )
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        log.warning("Why an answer was not spoken was refused: %s", error)
