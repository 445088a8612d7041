"""A line to Discord that a test draws frames from, and a mouth that says words as tones."""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import Callable

import discord

from botrunner.voice.playback import FRAME_S, SILENCE
from trainerbot.errors import ProviderUnavailable
from trainerbot.speech import Pcm

RATE_HZ = 16_000


def tone(duration_s: float, *, hz: float = 440.0, loud: int = 8_000) -> Pcm:
    n_samples = int(RATE_HZ * duration_s)
    samples = (int(loud * math.sin(2 * math.pi * hz * n / RATE_HZ)) for n in range(n_samples))
    return Pcm(array("h", samples).tobytes(), RATE_HZ)


class Mouth:
    """Says each sentence as a tone of `seconds`; waits for `allow` first if told to."""

    def __init__(self, seconds: float = 0.2) -> None:
        self.sound = tone(seconds)
        self.asked: list[str] = []
        self.languages: list[str] = []
        self.dies_at: int | None = None
        self.waits_at: int | None = None
        self.go_on = asyncio.Event()

    async def __call__(self, text: str, language: str, asker_id: int, asked_at: float) -> Pcm:
        self.asked.append(text)
        self.languages.append(language)
        if self.dies_at == len(self.asked):
            raise ProviderUnavailable("espeak has died of old age at /usr/bin.")
        if self.waits_at == len(self.asked):
            await self.go_on.wait()
        return self.sound


class Line:
    """Stands where discord.py's voice client does; the test is the clock that draws its frames."""

    def __init__(self) -> None:
        self.connected = True
        self.source: discord.AudioSource | None = None
        self.n_plays = 0
        self.breaks: Exception | None = None
        self.frames: list[bytes] = []
        self._after: Callable[[Exception | None], None] | None = None

    def is_connected(self) -> bool:
        return self.connected

    def is_playing(self) -> bool:
        return self.source is not None

    def stop(self) -> None:
        self.source = None

    def play(self, source: discord.AudioSource, *, after, **options: object) -> None:
        if self.is_playing():
            raise discord.ClientException("Already playing audio.")
        if self.breaks is not None:
            raise self.breaks
        self.n_plays += 1
        self.source, self._after = source, after

    def draw(self, n_frames: int = 1) -> int:
        """Let up to so many times 20 ms pass; how many frames had sound."""
        n_loud = 0
        for _ in range(n_frames):
            if self.source is None:
                break
            frame = self.source.read()
            if not frame:
                self.end()
                break
            self.frames.append(frame)
            n_loud += frame != SILENCE
        return n_loud

    def end(self, error: Exception | None = None) -> None:
        assert self._after is not None
        self.source = None
        self._after(error)

    async def play_out(self, *, most_s: float = 30.0) -> int:
        """Draw until nothing is left, letting the loop work in between; how many had sound."""
        n_loud, n_left = 0, int(most_s / FRAME_S)
        while n_left:
            await settled()
            if self.source is None:
                break
            n_loud += self.draw()
            n_left -= 1
        return n_loud

    async def play_until(self, look: Callable[[], object]) -> None:
        """Draw whatever there is, until `look` finds something."""

        def drawn() -> object:
            self.draw()
            return look()

        await until(drawn)

    async def wait_for_sound(self) -> None:
        await until(lambda: self.source is not None)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def until(look: Callable[[], object], *, within_s: float = 60.0) -> None:
    """Wait for what tasks and threads bring about that tell nobody."""
    async with asyncio.timeout(within_s):
        while not look():  # noqa: ASYNC110 (see above)
            await asyncio.sleep(0.001)


async def begin(player, text, **more):
    speech = player.begin(language="en", **more)
    speech.feed(text)
    speech.end()
    return speech


async def made(speech, n_sentences: int) -> None:
    """Wait until so many sentences have their sound."""
    await until(lambda: len(speech.sentences) >= n_sentences or speech.is_made)
