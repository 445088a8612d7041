"""What people are saying to the bot, shown on the pages before they have ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from botrunner.voice.desk import Desk
from botrunner.voice.speakers import Speaker
from dashboard.services.speech import Heard as Words
from trainerbot.errors import TrainerBotError
from trainerbot.speech import Pcm

log = logging.getLogger(__name__)

SHOWN_EVERY_S: Final = 0.3  # at most

Start = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Glimpses:
    """Words that are not final: heard early where nobody waits, shown if they are for the bot.

    start: makes a task of what is to be done.
    """

    def __init__(self, desk: Desk, *, start: Start) -> None:
        self._desk = desk
        self._start = start
        self._words: dict[int, str] = {}
        self._shown: dict[int, str] = {}
        self._is_over = asyncio.Event()
        self._showing: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None  # one at a time, whoever speaks

    def look(self, discord_user_id: int, speaker: Speaker, sound: Pcm) -> None:
        """Make words of what somebody has said until now, unless another's are being made."""
        if self._looking is None or self._looking.done():
            self._looking = self._start(self._look(discord_user_id, speaker, sound))

    async def show(self, discord_user_id: int, speaker: Speaker, words: Words, sound: Pcm) -> None:
        """Show the words in what somebody has said until now, if they speak to the bot."""
        if speaker.manners is None or len(sound.data) <= speaker.shown_bytes:
            return
        speaker.shown_bytes = len(sound.data)
        speech, manners = speaker.speech, await speaker.manners
        if speaker.speech != speech:
            return
        text = " ".join([*speaker.said_before(), words.text])
        n_present = self._desk.n_present()
        if manners.is_meant(text, follows=speaker.follows, n_present=n_present):
            self._words[discord_user_id] = text
            self._go()
        else:
            self.drop(discord_user_id)

    def drop(self, discord_user_id: int) -> None:
        """Show no more of somebody: what they said is known now, or concerns nobody."""
        if self._words.pop(discord_user_id, None) is not None:
            self._go()

    def clear(self) -> None:
        """Show nothing any more, and wait for nothing."""
        self._words.clear()
        self._is_over.set()
        self._go()

    async def _look(self, discord_user_id: int, speaker: Speaker, sound: Pcm) -> None:
        assert speaker.manners is not None  # as nobody goes on who has not begun
        speech = speaker.speech
        try:
            manners = await speaker.manners
            if not manners.shows_early:
                return
            words = await self._desk.hear(discord_user_id, sound, language=manners.language)
        except TrainerBotError as error:
            log.debug("What somebody is saying is not known before its end: %s", error)
            return
        if speaker.speech == speech:  # else it is over by now
            await self.show(discord_user_id, speaker, words, sound)

    def _go(self) -> None:
        if self._showing is None and self._words != self._shown:
            self._showing = self._start(self._show())

    async def _show(self) -> None:
        """Hand on the newest, and again what has changed meanwhile."""
        try:
            while self._words != self._shown:
                self._shown = dict(self._words)
                await self._desk.show(self._shown)
                with suppress(TimeoutError):
                    async with asyncio.timeout(SHOWN_EVERY_S):
                        await self._is_over.wait()
        finally:
            self._showing = None
