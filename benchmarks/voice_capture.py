"""What hearing a call costs, and what of it is lost: ours beside the bare way.

    .venv/bin/python benchmarks/voice_capture.py [--speakers 5] [--seconds 10]

A Discord on loopback sockets in a process of its own lets people speak at
once, end-to-end encrypted, each 20 ms of a noisy voice (Opus at 64 kbit/s), at
the pace of speech. Ours is the whole way to 16 kHz mono: order, gaps, Opus,
silence. The bare way is what one writes first: decrypt and decode to 48 kHz
stereo on the event loop, in the order of arrival. The lag is what a task waits
beyond the 5 ms it asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trainerbot.settings")

EACH_S = 0.005
FRAME_S = 0.02
LOST_OF = 50  # every fiftieth packet never arrives


def serve(pipe: Any, n_speakers: int, n_frames: int) -> None:
    """Be Discord, and let people speak whenever it is asked to."""
    import numpy as np
    from discord.opus import Encoder

    from botrunner.voice import opus
    from tests.fakes.discord import FakeDiscord

    opus.load()
    encoder, random = Encoder(bitrate=64), np.random.default_rng(1)
    times = np.arange(960 * n_frames) / 48_000
    voice = 3_000 * np.sin(2 * np.pi * 150 * times) + random.normal(0, 1_500, len(times))
    pcm = np.repeat(voice.astype("<i2"), 2).tobytes()
    frames = [encoder.encode(pcm[at : at + 3_840], 960) for at in range(0, len(pcm), 3_840)]

    async def speak(fake: FakeDiscord, user: Any, first: int) -> None:
        begun = time.monotonic()
        for number, frame in enumerate(frames):
            if number % LOST_OF != LOST_OF - 1:
                at = first + number
                fake.voice.send_opus(user, frame, sequence=at, timestamp=at * 960, n_padding=7)
            await asyncio.sleep(max(0.0, begun + (number + 1) * FRAME_S - time.monotonic()))

    async def be() -> None:
        async with FakeDiscord(dave=1) as fake:
            people = [fake.add_user(f"person{number}") for number in range(n_speakers)]
            pipe.send((fake.api_base, fake.token, int(fake.world.voice.id)))
            loop, first = asyncio.get_running_loop(), 0
            while (asked := await loop.run_in_executor(None, pipe.recv)) is not None:
                if asked == "enter":
                    for number, who in enumerate(people):
                        await fake.voice.enter(who, ssrc=number + 7)
                    await asyncio.sleep(0.5)  # until the announced keys are in force
                else:
                    await asyncio.gather(*(speak(fake, who, first) for who in people))
                    first += 10_000
                pipe.send("done")

    asyncio.run(be())


async def measured(ask: Any) -> tuple[float, float]:
    """CPU seconds of this process while they speak, and the lag's p99 in ms."""
    lags: list[float] = []

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(EACH_S)
            lags.append((time.perf_counter() - before - EACH_S) * 1000)

    watching = asyncio.create_task(watch())
    cpu = time.process_time()
    await ask("speak")
    await asyncio.sleep(0.2)  # for the last ones
    cpu = time.process_time() - cpu
    watching.cancel()
    return cpu, statistics.quantiles(lags, n=100)[98]


async def run(n_speakers: int, n_frames: int) -> None:
    import discord

    from botrunner import gateway
    from botrunner.voice import opus
    from botrunner.voice.capture import Capture
    from botrunner.voice.connection import ReceivingClient
    from botrunner.voice.packets import Packet

    opus.load()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(theirs, n_speakers, n_frames), daemon=True
    )
    process.start()
    loop = asyncio.get_running_loop()

    async def ask(what: str) -> None:
        ours.send(what)
        await loop.run_in_executor(None, ours.recv)

    api_base, token, channel_id = await loop.run_in_executor(None, ours.recv)
    client = discord.Client(
        intents=discord.Intents(guilds=True, voice_states=True), guild_ready_timeout=0.1
    )
    gateway.point_at(client, api_base)
    running = asyncio.create_task(client.start(token))
    await asyncio.sleep(0.1)  # until it has logged in, before which there is nothing to wait for
    await client.wait_until_ready()
    channel = client.get_channel(channel_id)
    assert isinstance(channel, discord.VoiceChannel)
    voice = await channel.connect(cls=ReceivingClient, timeout=10)
    await ask("enter")
    n_sent = n_speakers * (n_frames - n_frames // LOST_OF)
    n_said = n_speakers * n_frames

    idle, _ = await measured(lambda what: asyncio.sleep(n_frames * FRAME_S))
    decoders: dict[int, discord.opus.Decoder] = {}
    n_bare = 0

    def bare(discord_user_id: int, packet: Packet) -> None:
        nonlocal n_bare
        decoder = decoders.setdefault(discord_user_id, discord.opus.Decoder())
        n_bare += len(decoder.decode(packet.frame, fec=False)) == 3_840

    voice.listen(bare)
    cpu, lag = await measured(ask)
    told("the bare way", cpu - idle, lag, n_bare, n_sent, n_said)

    n_heard = 0

    def hear(discord_user_id: int, frame: Any) -> None:
        nonlocal n_heard
        n_heard += 1

    capture = Capture(voice, hear)
    capture.start()
    cpu, lag = await measured(ask)
    told("ours", cpu - idle, lag, n_heard, n_sent, n_said)
    print(f"ours guessed {capture.counts['concealed']} frames; counts: {dict(voice.counts)}")
    capture.stop()
    await client.close()
    await running
    ours.send(None)
    process.join(5)


def told(name: str, cpu_s: float, lag_ms: float, n_heard: int, n_sent: int, n_said: int) -> None:
    print(
        f"{name}: {1e6 * cpu_s / n_said:.0f} µs CPU for each 20 ms of a speaker, lag p99 "
        f"{lag_ms:.1f} ms, {n_heard} frames of {n_said} said, {n_sent} of them sent"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speakers", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    import django

    django.setup()
    asyncio.run(run(options.speakers, round(options.seconds / FRAME_S)))


if __name__ == "__main__":
    main()
