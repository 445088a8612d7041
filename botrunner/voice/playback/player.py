"""What is said in one guild: one thing at a time, in order, through discord.py's player."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import discord

from botrunner.voice.playback.frames import FRAME_S, SILENCE
from botrunner.voice.playback.speech import Heard, Speech, Synthesize

log = logging.getLogger(__name__)

# Silence while the next sentence is made; after that the line is let go until it is there.
IDLE_FRAMES: Final = round(1.0 / FRAME_S)
# Heard again after a pause in mid-word.
REWIND_FRAMES: Final = round(0.3 / FRAME_S)
CONNECTED_WITHIN_S: Final = 15.0
LOOK_AGAIN_S: Final = 0.1
WATCH_EVERY_S: Final = 0.5
MOST_FAILURES: Final = 3
NOT_CONNECTED: Final = "I lost the voice channel, so the rest is only written."
BROKEN: Final = "I could not play sound in the voice channel, so the rest is only written."


@dataclass(eq=False, frozen=True, slots=True)
class _Line:
    """One time that discord.py plays, from its thread's begin to its end."""

    client: discord.VoiceClient


class Player:
    """Plays speeches in a guild, whoever asks for them, and never two at once.

    Speeches to one person come in the order in which they were begun; several
    people take turns. It never joins, moves or leaves: `voice` tells it the
    connection, or None.
    """

    def __init__(
        self, *, synthesize: Synthesize, voice: Callable[[], discord.VoiceClient | None]
    ) -> None:
        self._synthesize = synthesize
        self._voice = voice
        self._loop = asyncio.get_running_loop()
        self._source = _Source(self)
        # What follows is shared with discord.py's thread; each hold is microseconds.
        self._lock = threading.Lock()
        self._waiting: dict[int, deque[Speech]] = {}  # by asker; who comes next is first
        self._speech: Speech | None = None
        self._is_held = False
        self._n_idle = 0
        # What follows belongs to the loop.
        self._line: _Line | None = None  # what plays now
        self._n_failures = 0
        self._without_voice_since: float | None = None
        self._retry: asyncio.TimerHandle | None = None

    # --- for whoever has something to say ---------------------------------------------
    def begin(self, *, asker_id: int = 0, language: str) -> Speech:
        """Return a speech that is played as soon as it has words and it is its turn."""
        speech = Speech(
            asker_id=asker_id,
            language=language,
            synthesize=self._synthesize,
            on_news=self._on_news,
        )
        with self._lock:
            self._waiting.setdefault(asker_id, deque()).append(speech)
        return speech

    async def say(self, text: str, *, language: str, asker_id: int = 0) -> Heard:
        """Say a whole text, and return how much of it was heard."""
        speech = self.begin(asker_id=asker_id, language=language)
        speech.feed(text)
        speech.end()
        return await speech.over()

    @property
    def speech(self) -> Speech | None:
        """What is being said, also while it is held."""
        return self._speech

    @property
    def is_speaking(self) -> bool:
        """Whether somebody hears it now, or would if nobody else spoke."""
        speech = self._speech
        return speech is not None and speech.first_sound_at is not None

    def is_speaking_to(self, asker_id: int) -> bool:
        """Whether what is being said is meant for a person, also while it is held."""
        speech = self._speech
        return speech is not None and speech.asker_id == asker_id

    @property
    def n_ready(self) -> int:
        """How many speeches wait for nothing but their turn."""
        with self._lock:
            return sum(speech.is_ready for line in self._waiting.values() for speech in line)

    @property
    def is_held(self) -> bool:
        return self._is_held

    def interrupt(self) -> Heard | None:
        """Cut off what is being said, from the next 20 ms on. None if nothing is.

        What waits behind it is kept; while the player is held, it waits on.
        """
        with self._lock:
            speech, self._speech = self._speech, None
        return speech.finish(was_cut=True) if speech else None

    def drop(self, asker_id: int) -> None:
        """Forget what waits to be said to a person: they have said something else."""
        with self._lock:
            dropped = self._waiting.pop(asker_id, ())
        for speech in dropped:
            speech.finish(was_cut=True)

    def take_back(self, asker_id: int) -> None:
        """Say nothing of what is meant for a person, now or later: they have spoken on."""
        self.drop(asker_id)
        if self._speech is not None and self._speech.asker_id == asker_id:
            self.interrupt()

    def hold(self) -> None:
        """Fall silent, from the next 20 ms on, and keep all that there is to say."""
        self._is_held = True

    def release(self) -> None:
        """Go on where it was held, from a little before."""
        with self._lock:
            was_held, self._is_held = self._is_held, False
            if was_held and self._speech is not None:
                self._speech.rewind(REWIND_FRAMES)
        self._start()

    def clear(self, problem: str = "") -> None:
        """Forget everything that is said or waits. problem: why, in words."""
        with self._lock:
            left = [speech for line in self._waiting.values() for speech in line]
            if self._speech is not None:
                left.insert(0, self._speech)
            self._waiting.clear()
            self._speech = None
            self._is_held = False
        for speech in left:
            speech.problem = speech.problem or problem
            speech.finish()

    # --- on the loop ------------------------------------------------------------------
    def _on_news(self, speech: Speech) -> None:
        """Begin to play, now that a speech has another sentence, or its last one."""
        self._start()

    def _start(self) -> None:
        if self._line is not None or self._is_held:
            return
        self._dismiss_empty()
        if not self._has_something():
            return
        voice = self._voice()
        if voice is None or not voice.is_connected():
            self._look_again()
            return
        self._without_voice_since = None
        line = _Line(voice)
        with self._lock:
            self._n_idle = 0
        try:
            if voice.is_playing():  # a former thread of discord.py that gave up
                voice.stop()
            voice.play(
                self._source,
                after=partial(self._on_thread_end, line),
                application="voip",
                signal_type="voice",
                bitrate=64,
            )
        except (discord.DiscordException, OSError) as error:  # no connection any more, no Opus
            log.warning("Nothing can be played: %r", error)
            self.clear(BROKEN)
            return
        self._line = line
        self._loop.call_later(WATCH_EVERY_S, self._watch, line)

    def _watch(self, line: _Line) -> None:
        """Go on where the bot is now: a lost connection keeps discord.py's thread for long."""
        if self._line is not line:
            return
        here = self._voice()
        if here is not None and here is not line.client and here.is_connected():
            line.client.stop()
            self._line = None
            self._start()
        else:
            self._loop.call_later(WATCH_EVERY_S, self._watch, line)

    def _dismiss_empty(self) -> None:
        """Be done with what came to its end without a (further) sound."""
        empty: list[Speech] = []
        with self._lock:
            if self._speech is not None and self._speech.is_played:
                empty.append(self._speech)
                self._speech = None
            for asker_id, line in list(self._waiting.items()):
                while line and line[0].is_played:
                    empty.append(line.popleft())
                if not line:
                    del self._waiting[asker_id]
        for speech in empty:
            speech.finish()

    def _has_something(self) -> bool:
        with self._lock:
            if self._speech is not None:
                return self._speech.is_ready
            return any(line[0].is_ready for line in self._waiting.values())

    def _look_again(self) -> None:
        """Wait for the connection: it may be on its way back."""
        now_s = self._loop.time()
        if self._without_voice_since is None:
            self._without_voice_since = now_s
        if now_s - self._without_voice_since > CONNECTED_WITHIN_S:
            self._without_voice_since = None
            self.clear(NOT_CONNECTED)
            return
        if self._retry is not None:
            self._retry.cancel()
        self._retry = self._loop.call_later(LOOK_AGAIN_S, self._start)

    def _on_thread_end(self, line: _Line, error: Exception | None) -> None:
        self._loop.call_soon_threadsafe(self._on_end, line, error)

    def _on_end(self, line: _Line, error: Exception | None) -> None:
        if self._line is not line:
            return  # another one plays by now
        self._line = None
        if error is None:
            self._n_failures = 0
        else:
            log.warning("Playing broke off", exc_info=error)
            self._n_failures += 1
            if self._n_failures >= MOST_FAILURES:
                self._n_failures = 0
                self.clear(BROKEN)
        self._start()

    # --- on discord.py's thread ---------------------------------------------------------
    def read(self) -> bytes:
        """Return the next 20 ms; empty lets the line go."""
        with self._lock:
            frame = None if self._is_held else self._next()
            if frame is not None:
                self._n_idle = 0
                return frame
            self._n_idle += 1
            if self._n_idle > IDLE_FRAMES or (self._speech is None and not self._is_held):
                return b""
            return SILENCE

    def _next(self) -> bytes | None:
        while True:
            speech = self._speech
            if speech is None:
                speech = self._speech = self._take()
            if speech is None:
                return None
            was = speech.number
            frame = speech.next_frame()
            if speech.number != was:
                self._loop.call_soon_threadsafe(speech.note_played)
            if frame is not None:
                if speech.first_sound_at is None:
                    speech.first_sound_at = time.monotonic()
                return frame
            if not speech.is_made:
                return None  # its next sentence is being made
            self._speech = None
            self._loop.call_soon_threadsafe(speech.finish)

    def _take(self) -> Speech | None:
        """Take the next speech that is ready: askers in turn, each one's own in order."""
        for asker_id, line in self._waiting.items():
            if line[0].is_ready:
                speech = line.popleft()
                del self._waiting[asker_id]
                if line:
                    self._waiting[asker_id] = line  # behind the others
                return speech
        return None


class _Source(discord.AudioSource):
    """What discord.py asks for 20 ms at a time. One for the whole life of a player."""

    def __init__(self, player: Player) -> None:
        self._player = player

    def read(self) -> bytes:
        return self._player.read()
