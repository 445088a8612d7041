"""Voice messages of the bot: an answer as sound, in Discord's own player."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
from dataclasses import dataclass
from typing import Any, Final

import discord
from discord.http import handle_message_parameters

from dashboard.services import speech
from trainerbot.speech import Pcm

log = logging.getLogger(__name__)

FILE_NAME: Final = "voice-message.ogg"
RATE_HZ: Final = 48_000  # of Opus, which Discord's player takes


@dataclass(frozen=True, slots=True)
class VoiceMessage:
    """A sound as Discord's player takes it. waveform: at most 256 heights, base64."""

    ogg: bytes
    duration_s: float
    waveform: str


class _VoiceFile(discord.File):
    """An attached file that Discord shows as a voice message; discord.py 2.7 has none."""

    def __init__(self, message: VoiceMessage) -> None:
        super().__init__(io.BytesIO(message.ogg), FILE_NAME)
        self._message = message

    def to_dict(self, index: int) -> dict[str, Any]:
        return {
            **super().to_dict(index),
            "duration_secs": round(self._message.duration_s, 3),
            "waveform": self._message.waveform,
        }


async def send_spoken(
    bot: discord.Client,
    text: str,
    *,
    language: str,
    guild_id: int | None,
    to: discord.Message,
    payer_id: int | None = None,
) -> None:
    """Speak `text`, and post it in reply to a message of the bot's.

    payer_id: Discord's id of whoever it is said to, in whose month it is counted.

    Where Discord forbids voice messages it comes as an ordinary file.
    Raises NothingToSay and CannotSpeak, and discord.HTTPException when Discord
    takes neither.
    """
    spoken = await speech.say(text, language=language, guild_id=guild_id, payer_id=payer_id)
    message = await asyncio.to_thread(_made, spoken.sound)
    if _may_send_voice(to):
        try:
            await _send(bot, message, to)
        except discord.Forbidden as error:
            log.info("A voice message was refused, so it becomes a file: %s", error)
        else:
            return
    await bot.get_partial_messageable(to.channel.id).send(
        file=discord.File(io.BytesIO(message.ogg), FILE_NAME),
        reference=to.to_reference(fail_if_not_exists=False),
        mention_author=False,
        nonce=f"{to.id}-file",
    )


async def _send(bot: discord.Client, message: VoiceMessage, to: discord.Message) -> None:
    # As discord.py 2.7 sends a message itself; of voice messages it only knows how to receive them.
    with handle_message_parameters(
        file=_VoiceFile(message),
        flags=discord.MessageFlags(voice=True),
        message_reference=to.to_reference(fail_if_not_exists=False).to_dict(),
        allowed_mentions=discord.AllowedMentions.none(),
        mention_author=False,
        # Posted once, even if Discord's answer to the first attempt was lost.
        nonce=f"{to.id}-voice",
    ) as parameters:
        await bot.http.send_message(to.channel.id, params=parameters)


def _may_send_voice(to: discord.Message) -> bool:
    """Whether Discord takes a voice message there, as far as it has told."""
    me = to.guild.me if to.guild else None
    if me is None or not isinstance(to.channel, discord.abc.GuildChannel | discord.Thread):
        return True
    return to.channel.permissions_for(me).send_voice_messages


def _made(sound: Pcm) -> VoiceMessage:
    # PyAV takes a third of a second to import, which a bot that says nothing is spared.
    from trainerbot.speech import audio

    whole = audio.resampled(sound, RATE_HZ)
    return VoiceMessage(
        audio.encode(whole, "opus"),
        whole.duration_s,
        base64.b64encode(audio.waveform(whole)).decode(),
    )
