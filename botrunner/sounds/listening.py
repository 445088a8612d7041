"""What people say in a sound that they attached: fetched, decoded, made out, once they may ask."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import discord
from channels.db import database_sync_to_async

from botrunner.faults import explain
from botrunner.sounds.fetching import fetch
from dashboard.services import consent, speech
from dashboard.services.utterances import Sound
from trainerbot.errors import TrainerBotError
from trainerbot.speech import NothingHeard, Pcm, UnreadableAudio

if TYPE_CHECKING:
    from dashboard.models import Utterance
    from dashboard.services.chat import Admitted

log = logging.getLogger(__name__)

ENDINGS: Final = frozenset(
    {"aac", "flac", "m4a", "m4b", "mka", "mkv", "mov", "mp3", "mp4", "oga", "ogg", "opus", "wav"}
    | {"weba", "webm", "wma"}
)
NO_WORDS: Final = "I made out no words in it."
TOO_LONG: Final = f"It is too long to hear: {speech.MOST_S / 60:.0f} minutes are the most."
# Decoded, one of the longest takes 20 MB.
MOST_AT_ONCE: Final = 8
"""Sounds that one process decodes and lets be heard at once; the others wait."""

keeps_days = database_sync_to_async(consent.keeps_days)
keep_recording = database_sync_to_async(consent.keep_recording)


def is_sound(file: discord.Attachment) -> bool:
    """Whether a file says that it is to be heard; what it is, its bytes tell."""
    said = (file.content_type or "").partition("/")[0]
    if said in ("audio", "video") or file.is_voice_message():
        return True
    return not file.content_type and file.filename.rpartition(".")[2].lower() in ENDINGS


@dataclass(frozen=True, slots=True)
class Listened:
    """What became of one sound. pcm: as it was heard; None where nothing could be decoded."""

    sound: Sound
    pcm: Pcm | None = None


class Listener:
    """Listens for one message. Only the first sound of it is heard.

    admit: asked before anything is fetched; raises NotAllowed where the
    person may not ask now. room: shared by all who listen in this process.
    """

    def __init__(
        self,
        admit: Callable[[], Awaitable[Admitted]],
        *,
        room: asyncio.Semaphore,
        guild_id: int | None,
        discord_user_id: int,
    ) -> None:
        self._admit = admit
        self._room = room
        self._guild_id = guild_id
        self._discord_user_id = discord_user_id
        self.admitted: Admitted | None = None
        self.listened: Listened | None = None

    async def permit(self) -> Admitted:
        """Ask, once, whether this person may be listened to."""
        if self.admitted is None:
            self.admitted = await self._admit()
        return self.admitted

    async def fetch(self, file: discord.Attachment) -> bytes:
        """Return the bytes of a file. Raises NotAllowed, and what `fetch` raises."""
        await self.permit()
        if (file.duration or 0.0) > speech.MOST_S:
            raise UnreadableAudio(TOO_LONG)
        return await fetch(file.url)

    async def hear(self, data: bytes) -> Sound:
        """Say what was made out in a sound, or in one sentence why nothing was. Raises nothing."""
        admitted = await self.permit()
        began_at = time.monotonic()
        pcm: Pcm | None = None
        async with self._room:
            try:
                pcm = await speech.decoded(data)
                heard = await speech.hear_pcm(
                    pcm,
                    language=admitted.language,
                    guild_id=self._guild_id,
                    payer_id=self._discord_user_id,
                )
                sound = Sound(
                    heard.text,
                    heard.language,
                    heard.provider,
                    duration_s=heard.duration_s,
                    stages_ms={"heard": round((time.monotonic() - began_at) * 1000)},
                )
            except Exception as error:
                problem = await self._problem(error)
                duration_s = pcm.duration_s if pcm else 0.0
                sound = Sound(language=admitted.language, problem=problem, duration_s=duration_s)
        self.listened = Listened(sound, pcm)
        return sound

    async def _problem(self, error: Exception) -> str:
        if isinstance(error, NothingHeard):
            return NO_WORDS
        if isinstance(error, TrainerBotError):
            return str(error)
        told = await explain(error, "A sound being heard")
        return told.in_a_line

    async def keep(self, utterance: Utterance) -> None:
        """Keep the recording, where the server keeps any and the person did not say no.

        What keeps it from being kept is noted for the admins; the answer comes all the same.
        """
        if self.listened is None or self.listened.pcm is None or not self.listened.sound.text:
            return
        try:
            days = await keeps_days(guild_id=self._guild_id, discord_user_id=self._discord_user_id)
            if days:
                data = await asyncio.to_thread(_as_opus, self.listened.pcm)
                await keep_recording(utterance, data, ending="ogg", days=days)
        except Exception as error:
            await explain(error, "Keeping a recording")


def _as_opus(pcm: Pcm) -> bytes:
    # PyAV takes a third of a second to import, which a bot that hears nothing is spared.
    from trainerbot.speech import audio

    return audio.encode(pcm, "opus")
