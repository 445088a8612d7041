"""How soon the bot answers aloud in a call, and how evenly it plays, with providers of 0 ms.

    .venv/bin/python benchmarks/voice_turn.py [--turns 12]

The bot runs in this process, as `manage.py runbot` would, and talks in an
end-to-end encrypted call of a Discord on loopback sockets; that one, and the
server that hears, thinks and speaks at once, are processes of their own. A
made voice of about a second is sent in real time, each frame when its sound is
over; it ends now at the beginning and now at the end of a frame. Both the end
of the sound itself and the first frame of the answer are timed on Discord's
side, so that everything in between counts: frames and codec, network,
decryption, decoding, voice activity, rows, requests, resampling. A process that only sleeps tells how much of it is
the machine's: where that wakes up late, the others do, too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from array import array
from itertools import count, pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

FRAME_S = 0.02
QUIETEST = 100  # of 32,767
ANSWER = ("It is one. ", "It is two. ", "It is three. ", "It is four.")


def serve_endpoint(pipe: Any) -> None:
    from tests.fakes.openai_endpoint import Reply
    from tests.fakes.speech import FakeSpeech

    numbers = count(1)

    def answer(body: Any) -> Reply:
        # Each turn has its own words, as what was spoken before would be kept sound.
        number = next(numbers)
        return Reply(pieces=[f"{number}: {piece}" for piece in ANSWER])

    with FakeSpeech() as endpoint:
        endpoint.answer = answer
        gc.freeze()  # else what measures stands still itself for a tenth of a second
        pipe.send(endpoint.base_url)
        with contextlib.suppress(EOFError):
            pipe.recv()


def serve_discord(pipe: Any) -> None:
    """Speak when told to; send back when speech ended and when each frame of the answer came."""
    from discord.opus import Decoder, load_opus

    from tests.fakes.discord import FakeDiscord
    from tests.fakes.discord.voice import SILENCE
    from trainerbot.speech.audio import load_opus as path_of_opus

    load_opus(path_of_opus())

    async def turn(
        fake: FakeDiscord,
        ada: Any,
        frames: list[bytes],
        seconds: float,
        first: int,
        *,
        clears: bool = True,
    ) -> Any:
        call = fake.voice.call
        assert call is not None
        if clears:
            call.frames.clear()
        began = time.monotonic()
        ended = began - FRAME_S + seconds
        for number, opus in enumerate([*frames, *[SILENCE] * 5]):
            wait_s = began + number * FRAME_S - time.monotonic()
            await asyncio.sleep(max(0.0, wait_s))
            at = first + number
            fake.voice.send_opus(ada, opus, sequence=at, timestamp=at * 960)
        while not call.frames or call.frames[-1].opus != SILENCE:  # noqa: ASYNC110 (frames wake nobody)
            await asyncio.sleep(0.05)
        return ended, [frame.at_s for frame in call.frames if frame.opus != SILENCE]

    async def interruption(
        fake: FakeDiscord, ada: Any, frames: list[bytes], seconds: float, first: int
    ) -> Any:
        """Speak into the answer; the seconds from then on until its last frame with sound."""
        call = fake.voice.call
        assert call is not None
        call.frames.clear()
        speaking = asyncio.create_task(turn(fake, ada, frames, seconds, first, clears=False))
        await asyncio.sleep(len(frames) * FRAME_S)
        while len(call.frames) < 5:  # noqa: ASYNC110 (frames wake nobody)
            await asyncio.sleep(0.005)
        began = time.monotonic()
        for number, opus in enumerate(frames[1:]):
            wait_s = began + number * FRAME_S - time.monotonic()
            await asyncio.sleep(max(0.0, wait_s))
            at = first + len(frames) + 5 + number
            fake.voice.send_opus(ada, opus, sequence=at, timestamp=at * 960)
        await speaking
        decoder, last = Decoder(), began
        for frame in call.frames:
            samples = array("h", decoder.decode(frame.opus))
            if frame.at_s < began + (len(frames) - 1) * FRAME_S and max(samples) > QUIETEST:
                last = max(last, frame.at_s)
        return last - began

    async def serve() -> None:
        async with FakeDiscord(dave=1) as fake:
            gc.freeze()
            ada, world = fake.add_user("Ada"), fake.world
            ids = [int(each.id) for each in (ada, world.voice, world.general)]
            pipe.send((fake.api_base, ids))
            await asyncio.to_thread(pipe.recv)
            await fake.voice.sit(ada, world.voice)
            pipe.send(None)
            await asyncio.to_thread(pipe.recv)
            await fake.voice.enter(ada, ssrc=7)
            first = 0
            while order := await asyncio.to_thread(pipe.recv):
                interrupts, frames, seconds = order
                play = interruption if interrupts else turn
                pipe.send(await play(fake, ada, frames, seconds, first))
                first += 2 * len(frames) + 5

    with contextlib.suppress(EOFError):
        asyncio.run(serve())


def sleep_beside(pipe: Any) -> None:
    """Wake up 50 times a second and do nothing: how late that is, is the machine's doing."""
    late_ms, due_at = [], time.monotonic()
    while not pipe.poll():
        due_at = max(due_at, time.monotonic()) + FRAME_S
        time.sleep(max(0.0, due_at - time.monotonic()))
        late_ms.append(1000 * (time.monotonic() - due_at))
    pipe.send(late_ms)


async def measure(n_turns: int, api_base: str, ids: list[int], pipe: Any) -> Any:
    from botrunner.process import BotProcess
    from botrunner.voice.playback.frames import TAIL_FRAMES
    from dashboard.services import calls
    from tests.botrunner.voice.calling import voiced
    from tests.botrunner.voice.lines import until

    person, voice, general = ids
    process = BotProcess(token="MTA.fake.token-of-the-fake-discord", api_base=api_base, drain_s=0.0)
    running = asyncio.create_task(process.run())
    await until(lambda: process.bot is not None and process.bot.is_ready(), within_s=60)
    bot: Any = process.bot
    guild = bot.guilds[0]
    pipe.send("sit")
    await asyncio.to_thread(pipe.recv)
    await until(lambda: guild.get_member(person))
    supervisor = bot.get_cog("Voice").supervisor
    words = calls.Place(general, "general")
    call = await supervisor.join(bot.get_channel(voice), text_channel=words, actor=None)
    pipe.send("speak")
    await until(lambda: call.client.is_end_to_end)
    measured, silenced_s = [], []
    for number in range(n_turns):
        seconds = 1.0 - FRAME_S * (number % 8) / 8
        frames = voiced(seconds, seed=number)[:-TAIL_FRAMES]
        pipe.send((False, frames, seconds))
        measured.append(await asyncio.to_thread(pipe.recv))
        await call.participant.settle()
    for number in range(n_turns // 2):
        pipe.send((True, voiced(1.0, seed=number)[:-TAIL_FRAMES], 1.0))
        silenced_s.append(await asyncio.to_thread(pipe.recv))
        await call.participant.settle()
    await supervisor.leave(guild, because="It was measured.", actor=None)
    process.wishes.ask_to_stop()
    await running
    pipe.send(None)
    return measured, silenced_s


def tell(name: str, values_ms: list[float]) -> None:
    values = sorted(values_ms)
    print(
        f"{name}: median {statistics.median(values):.0f} ms, worst {values[-1]:.0f} ms, "
        f"of {len(values)}"
    )


def tell_spread(name: str, values_ms: list[float]) -> None:
    cuts = statistics.quantiles(values_ms, n=100)
    print(f"{name}: p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms, worst {max(values_ms):.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=12)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    pipes = []
    for serve in (serve_endpoint, serve_discord, sleep_beside):
        ours, theirs = context.Pipe()
        context.Process(target=serve, args=(theirs,), daemon=True).start()
        theirs.close()
        pipes.append(ours)
    endpoint, (api_base, ids) = pipes[0].recv(), pipes[1].recv()
    with tempfile.TemporaryDirectory() as folder:
        from tests.fakes.openai_endpoint import API_KEY

        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "trainerbot.settings",
            "TRAINERBOT_DATA": folder,
            "OPENAI_BASE_URL": endpoint,
            "OPENAI_API_KEY": API_KEY,
            "CHAT_MODEL": "small",
            "SPEECH_BASE_URL": endpoint,
            "SPEECH_RECOGNIZERS": "scripted",
            "SPEECH_SYNTHESIZERS": "scripted",
            "MODELSERVER_API_KEY": API_KEY,
            "DISCORD_API_BASE": api_base,
            "LOG_LEVEL": "WARNING",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        from botrunner.process import loop
        from dashboard.models import Utterance
        from trainerbot.speech.segmenting import Tuning

        measured, silenced_s = loop.run(measure(options.turns, api_base, ids, pipes[1]))
        pipes[2].send(None)
        idle_ms = pipes[2].recv()

        n_turns = options.turns
        stages = list(Utterance.objects.order_by("pk").values_list("stages_ms", flat=True))[
            :n_turns
        ]
    # The first turn opens connections and imports what a later one has.
    waits_ms = [1000 * (frames[0] - ended) for ended, frames in measured[1:]]
    tell("end of speech to first frame of the answer", waits_ms)
    window_ms = Tuning().quiet_ms
    print(f"  silence window in force after a finished sentence (Tuning.quiet_ms): {window_ms} ms")
    tell("  added after that window", [ms - window_ms for ms in waits_ms])
    for stage in ("heard", "first_word", "first_sound"):
        logged_ms = [each[stage] - window_ms for each in stages[1:] if stage in each]
        tell(f"  as logged, {stage} after that window", logged_ms)
    print(f"  first turn: {1000 * (measured[0][1][0] - measured[0][0]):.0f} ms")
    tell("speech over the answer to its last sound", [1000 * each for each in silenced_s])
    # discord.py leaves 40 ms between the first two frames of each speech.
    gaps_ms = [1000 * (b - a) for _, frames in measured for a, b in pairwise(frames[1:])]
    spans = [(len(frames) - 2) / (frames[-1] - frames[1]) for _, frames in measured]
    print(f"playback: {statistics.mean(spans):.2f} frames a second, of {len(gaps_ms)}")
    tell_spread("  jitter", [abs(gap - 1000 * FRAME_S) for gap in gaps_ms])
    tell_spread("  a process that only sleeps wakes up late by", idle_ms)


if __name__ == "__main__":
    main()
