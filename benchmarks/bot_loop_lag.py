"""How late the bot's event loop is while 100 people wait for models that take five seconds.

    .venv/bin/python benchmarks/bot_loop_lag.py [--seconds 20]

The bot runs in this process, as `manage.py runbot` would, against a Discord
and an endpoint on loopback sockets in processes of their own. The endpoint
sends each answer of 50 words over five seconds; whoever is answered asks
again. A task asks for its turn each 5 ms; what it waits beyond them is the lag.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

N_PEOPLE = 100
EACH_S = 0.005
ANSWER_S = 5.0
WORDS = tuple(f"word{number} " for number in range(50))


def serve_endpoint(pipe: Any) -> None:
    from tests.fakes.openai_endpoint import FakeOpenAI, Reply

    with FakeOpenAI() as endpoint:
        endpoint.default = Reply(pieces=WORDS, delay_s=ANSWER_S / len(WORDS))
        pipe.send(endpoint.base_url)
        with contextlib.suppress(EOFError):
            pipe.recv()


def serve_discord(pipe: Any) -> None:
    from tests.fakes.discord import FakeDiscord

    async def serve() -> None:
        async with FakeDiscord() as fake:
            people = [fake.add_user(f"person{number}") for number in range(N_PEOPLE)]
            pipe.send(fake.api_base)
            await fake.wait_until_online(timeout_s=60)
            n_answered = 0

            async def talk(number: int) -> None:
                nonlocal n_answered
                # They do not all begin at once.
                await asyncio.sleep(ANSWER_S * number / N_PEOPLE)
                while True:
                    question = await fake.dm(people[number], "Tell me something.")
                    await fake.wait_for_reply(
                        channel=question.channel, to=question, containing="word49", timeout_s=60
                    )
                    n_answered += 1

            talks = [asyncio.create_task(talk(number)) for number in range(N_PEOPLE)]
            await asyncio.to_thread(pipe.recv)
            for each in talks:
                each.cancel()
            await asyncio.gather(*talks, return_exceptions=True)
            pipe.send((n_answered, len(fake.rest.requests)))
            await asyncio.to_thread(pipe.recv)

    with contextlib.suppress(EOFError):
        asyncio.run(serve())


async def measure(seconds: float, api_base: str, discord_pipe: Any) -> list[float]:
    from botrunner.process import BotProcess

    process = BotProcess(token="MTA.fake.token-of-the-fake-discord", api_base=api_base, drain_s=0.0)
    running = asyncio.create_task(process.run())
    await asyncio.sleep(ANSWER_S + 5)  # until all of them talk
    lags_ms: list[float] = []
    until_s = time.perf_counter() + seconds
    while (began_s := time.perf_counter()) < until_s:
        await asyncio.sleep(EACH_S)
        lags_ms.append((time.perf_counter() - began_s - EACH_S) * 1000)
    discord_pipe.send("enough")
    n_answered, n_requests = await asyncio.to_thread(discord_pipe.recv)
    print(f"{n_answered} answers, {n_requests} requests to Discord")
    process.wishes.ask_to_stop()
    process.wishes.ask_to_stop()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(running, 20)
    return lags_ms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    pipes = []
    for serve in (serve_endpoint, serve_discord):
        ours, theirs = context.Pipe()
        context.Process(target=serve, args=(theirs,), daemon=True).start()
        theirs.close()
        pipes.append(ours)
    endpoint, api_base = pipes[0].recv(), pipes[1].recv()
    with tempfile.TemporaryDirectory() as folder:
        from tests.fakes.openai_endpoint import API_KEY

        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "trainerbot.settings",
            "TRAINERBOT_DATA": folder,
            "OPENAI_BASE_URL": endpoint,
            "OPENAI_API_KEY": API_KEY,
            "CHAT_MODEL": "small",
            "DISCORD_API_BASE": api_base,
            "LOG_LEVEL": "WARNING",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        from botrunner.process import loop

        lags_ms = sorted(loop.run(measure(options.seconds, api_base, pipes[1])))
    cuts = statistics.quantiles(lags_ms, n=1000)
    print(
        f"{len(lags_ms)} samples: p50 {cuts[499]:.1f} ms, p99 {cuts[989]:.1f} ms, "
        f"p99.9 {cuts[998]:.1f} ms, worst {lags_ms[-1]:.1f} ms"
    )


if __name__ == "__main__":
    main()
