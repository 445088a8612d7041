"""A bot in an end-to-end encrypted call at the fake, talking; and the voices of people there."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import discord
from channels.db import database_sync_to_async

from botrunner.bot import TrainerBot
from botrunner.cogs.talk import attend
from botrunner.voice import opus
from botrunner.voice.capture import Capture
from botrunner.voice.connection import ReceivingClient
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
class AnyCall:
    """What a desk needs to know of a call."""

    bot: TrainerBot
    call_id: int
    guild_id: int
    channel_id: int
    text_channel_id: int | None
    present: tuple[int, ...] = (1,)

    def people(self) -> tuple[int, ...]:
        return self.present


async def wanted(bot: TrainerBot, fake: FakeDiscord) -> AnyCall:
    """A call in the fake's voice channel, whose words are written in #general."""
    world = fake.world
    wish = await database_sync_to_async(calls.want)(
        discord_guild_id=int(world.guild.id),
        guild_name=world.guild.name,
        channel=calls.Place(int(world.voice.id), "voice"),
        text_channel=calls.Place(int(world.general.id), "general"),
        actor=None,
    )
    return AnyCall(
        bot,
        wish.call_id,
        wish.discord_guild_id,
        wish.discord_channel_id,
        wish.discord_text_channel_id,
    )


@dataclass
class Room:
    """The call, with the bot in it."""

    fake: FakeDiscord
    bot: TrainerBot
    call: AnyCall
    talk: Talk

    def sound(self) -> list[float]:
        """When each frame came that was not silence, in seconds of the loop's clock."""
        assert self.fake.voice.call is not None
        return [frame.at_s for frame in self.fake.voice.call.frames if frame.opus != SILENCE]


@asynccontextmanager
async def in_a_call(fake: FakeDiscord, *people: User) -> AsyncIterator[Room]:
    """Let the bot sit with these people in the voice channel, and talk with them."""
    opus.load()
    async with online(fake) as bot:
        channel = bot.get_channel(int(fake.world.voice.id))
        assert isinstance(channel, discord.VoiceChannel)
        client = await channel.connect(timeout=10, cls=ReceivingClient)
        for number, person in enumerate(people):
            await fake.voice.sit(person, fake.world.voice)
            await fake.voice.enter(person, ssrc=7 + number)
        call = await wanted(bot, fake)
        call.present = tuple(int(person.id) for person in people)
        talk = attend(call)
        capture = Capture(client, talk.on_frame)
        capture.start()
        await until(lambda: all(bot.guilds[0].get_member(who) for who in call.present))
        for person in people:
            await until_understood(fake, client, person)
        yield Room(fake, bot, call, talk)
        talk.close()
        await asyncio.wait_for(talk.settle(), 20)
        capture.stop()
        await client.disconnect(force=True)
        await asyncio.to_thread(capture.join)


def voiced(seconds: float, *, seed: int = 0) -> list[bytes]:
    """A made voice as the Opus frames of somebody's microphone."""
    opus.load()
    samples = (voice(seconds, seed=seed) * 32767).astype("<i2")
    sound = prepared(Pcm(array("h", samples.tolist()).tobytes()))
    encoder = discord.opus.Encoder()
    frames = [sound[at : at + FRAME_BYTES] for at in range(0, len(sound), FRAME_BYTES)]
    return [encoder.encode(frame, encoder.SAMPLES_PER_FRAME) for frame in frames]
