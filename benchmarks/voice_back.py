"""How long the bot hears nothing when Discord ends, resumes or moves its voice connection.

    .venv/bin/python benchmarks/voice_back.py [--rounds 3]

Somebody speaks without a pause, a frame each 20 ms, in an end-to-end encrypted
call of a Discord on loopback sockets, in this process. What is told is the
longest time between two frames that were heard, from what happened until four
seconds after it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import count, pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trainerbot.settings")

FRAME_S = 0.02
WATCHED_S = 4.0


async def speak(fake: Any, user: Any) -> None:
    """Say something each 20 ms, as soon and as long as there is a call."""
    due_at = time.monotonic()
    for number in count():
        due_at = max(due_at + FRAME_S, time.monotonic())
        await asyncio.sleep(due_at - time.monotonic())
        call = fake.voice.call
        if call and call.address and user.id in call.ssrcs:
            opus = bytes([0xF8, number % 256, 1, 2, 3])
            fake.voice.send_opus(user, opus, sequence=number, timestamp=number * 960)


async def measure(n_rounds: int) -> None:
    import discord

    from botrunner import gateway
    from botrunner.voice.connection import ReceivingClient
    from tests.fakes.discord import FakeDiscord
    from tests.fakes.discord.world import ChannelType

    heard_at: list[float] = []
    async with FakeDiscord(dave=1) as fake:
        ada = fake.add_user("Ada")
        rooms = [fake.world.voice, fake.world.add_channel("other", ChannelType.VOICE)]
        bot = discord.Client(
            intents=discord.Intents(guilds=True, voice_states=True), guild_ready_timeout=0.05
        )
        gateway.point_at(bot, fake.api_base)
        running = asyncio.create_task(bot.start(fake.token))
        await fake.wait_until_online()
        await bot.wait_until_ready()
        await fake.add_to_guild(rooms[1])
        channel: Any = bot.get_channel(int(fake.world.voice.id))
        client = await channel.connect(timeout=5, cls=ReceivingClient)
        client.listen(lambda discord_user_id, packet: heard_at.append(time.monotonic()))
        await fake.voice.enter(ada, ssrc=7)
        speaking = asyncio.create_task(speak(fake, ada))

        async def moved() -> None:
            rooms.reverse()
            await fake.voice.move_bot(rooms[0])

        async def crashed(*, resumes: bool) -> None:
            fake.voice.allows_resume = resumes
            await fake.voice.end(4015)

        happens: dict[str, Callable[[], Awaitable[None]]] = {
            "session gone (4006)": lambda: fake.voice.end(4006),
            "server crashed (4015), resumed": lambda: crashed(resumes=True),
            "server crashed (4015), nothing to resume": lambda: crashed(resumes=False),
            "another region": fake.voice.change_server,
            "moved by a moderator (4014)": moved,
            "main gateway lost": fake.gateway.drop,
        }
        await asyncio.sleep(1.0)
        for name, happen in happens.items():
            silences_s = []
            for _ in range(n_rounds):
                began = time.monotonic()
                await happen()
                await asyncio.sleep(WATCHED_S)
                moments = [at for at in heard_at if at >= began]
                moments = [began, *moments, time.monotonic()]
                silences_s.append(max(after - before for before, after in pairwise(moments)))
            print(
                f"{name}: heard nothing for {statistics.median(silences_s):.2f} s at the median, "
                f"{max(silences_s):.2f} s at worst, of {n_rounds}"
            )
        speaking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await speaking
        await bot.close()
        await running


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    import django

    django.setup()
    from botrunner.process import loop

    loop.run(measure(options.rounds))


if __name__ == "__main__":
    main()
