"""A bot in an end-to-end encrypted call at the fake, talking; and the voices of people there."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import discord

from botrunner.bot import TrainerBot
from botrunner.voice import opus
from botrunner.voice.call import Call
from botrunner.voice.playback import prepared
from botrunner.voice.playback.frames import FRAME_BYTES
from botrunner.voice.talking import Talk
from dashboard.services import calls
from tests.botrunner.voice.lines import until
from tests.botrunner.voice.test_connection import until_understood
from tests.botrunner.working import online
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord.voice import SILENCE
from tests.fakes.discord.world import User
from tests.trainerbot.speech.test_segmenting import voice
from trainerbot.speech import Pcm


@dataclass
class Room:
    """The call, with the bot in it."""

    fake: FakeDiscord
    bot: TrainerBot
    call: Call
    talk: Talk

    def sound(self) -> list[float]:
        """When each frame came that was not silence, in seconds of the loop's clock."""
        assert self.fake.voice.call is not None
        return [frame.at_s for frame in self.fake.voice.call.frames if frame.opus != SILENCE]


@asynccontextmanager
async def in_a_call(fake: FakeDiscord, *people: User) -> AsyncIterator[Room]:
    """Let the bot sit with these people in the voice channel, and talk with them.

    Its words are written in #general.
    """
    async with online(fake) as bot:
        for number, person in enumerate(people):
            await fake.voice.sit(person, fake.world.voice)
            await fake.voice.enter(person, ssrc=7 + number)
        guild = bot.guilds[0]
        await until(lambda: all(guild.get_member(int(person.id)) for person in people))
        cog: Any = bot.get_cog("Voice")
        channel = bot.get_channel(int(fake.world.voice.id))
        words = calls.Place(int(fake.world.general.id), "general")
        call = await cog.supervisor.join(channel, text_channel=words, actor=None)
        for person in people:
            await until_understood(fake, call.client, person)
        talk = call.participant
        yield Room(fake, bot, call, talk)
        await cog.supervisor.leave(guild, because="The test is over.", actor=None)
        await asyncio.wait_for(talk.settle(), 60)


def voiced(seconds: float, *, seed: int = 0) -> list[bytes]:
    """A made voice as the Opus frames of somebody's microphone."""
    opus.load()
    samples = (voice(seconds, seed=seed) * 32767).astype("<i2")
    sound = prepared(Pcm(array("h", samples.tolist()).tobytes()))
    encoder = discord.opus.Encoder()
    frames = [sound[at : at + FRAME_BYTES] for at in range(0, len(sound), FRAME_BYTES)]
    return [encoder.encode(frame, encoder.SAMPLES_PER_FRAME) for frame in frames]
