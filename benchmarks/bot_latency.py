"""What our road costs a message on Discord, beside a bare bot that only asks and answers.

    .venv/bin/python benchmarks/bot_latency.py [--rounds 5] [--messages 300] [--streamed]

Ours is `manage.py runbot`: who may ask is checked, corrections are recalled
(50 are in force), both sides are logged in SQLite. The bare one is 30 lines
of discord.py with one shared AsyncOpenAI, and logs nothing. Both run in
processes of their own, in turns, against one Discord and one endpoint on
loopback sockets, also in processes of their own; the endpoint answers at once
with 40 words. Without --streamed both ask for whole answers (ours by
CHAT_STREAM=0), with it both for streams.

A message's latency is from its gateway event to the first request that posts
its answer. CPU is the bot process's own, user and system, a message.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

N_PEOPLE = 16
N_CORRECTIONS = 50
WORDS = [f"word{number} " for number in range(40)]
KEY = "sk-bench"
WARM_UP = 60
TICKS = os.sysconf("SC_CLK_TCK")


# --- the endpoint ----------------------------------------------------------------------
class Endpoint(asyncio.Protocol):
    """Answers every POST at once, streamed if it is asked to. As little HTTP as that takes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._data = b""
        # asyncio leaves this out for a socket that it did not make: each stream
        # would then wait 40 ms for the acknowledgement of its head.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        self._data += data
        while True:
            head, found, rest = self._data.partition(b"\r\n\r\n")
            if not found:
                return
            length = 0
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if len(rest) < length:
                return
            body, self._data = rest[:length], rest[length:]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if b"/chat/completions" not in head.split(b"\r\n", 1)[0]:
            self._whole({"object": "list", "data": [{"id": "bench", "object": "model"}]})
        elif json.loads(body).get("stream"):
            self._stream()
        else:
            message = {"role": "assistant", "content": "".join(WORDS)}
            choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
            self._whole(
                {
                    "id": "c",
                    "object": "chat.completion",
                    "created": 1,
                    "model": "bench",
                    "choices": [choice],
                    "usage": {"prompt_tokens": 9, "completion_tokens": 40, "total_tokens": 49},
                }
            )

    def _whole(self, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self._transport.write(  # type: ignore[attr-defined]
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % len(content)
            + content
        )

    def _stream(self) -> None:
        write = self._transport.write  # type: ignore[attr-defined]
        write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        for delta in [*({"content": word} for word in WORDS), {}]:
            row = {
                "id": "c",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "bench",
                "choices": [
                    {"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}
                ],
            }
            event = b"data: " + json.dumps(row).encode() + b"\n\n"
            write(b"%x\r\n%s\r\n" % (len(event), event))
        end = b"data: [DONE]\n\n"
        write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(end), end))


def serve_endpoint(listening: socket.socket) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Endpoint, sock=listening)
        await server.serve_forever()

    asyncio.run(serve())


# --- Discord ---------------------------------------------------------------------------
def serve_discord(pipe: Any) -> None:
    """Be Discord until the pipe closes; runs what it is told of and sends back the latencies."""
    from tests.fakes.discord import FakeDiscord

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        async with FakeDiscord() as fake:
            people = [fake.add_user(f"person{number}") for number in range(N_PEOPLE)]
            answered: dict[str, asyncio.Future[float]] = {}
            answer = fake.rest._answer

            async def note(request: Any, authorization: str) -> Any:
                at_s = time.perf_counter()
                if request.method == "POST" and isinstance(request.body, dict):
                    about = str((request.body.get("message_reference") or {}).get("message_id"))
                    if (waiting := answered.get(about)) and not waiting.done():
                        waiting.set_result(at_s)
                fake.rest.requests.clear()
                return await answer(request, authorization)

            fake.rest._answer = note  # type: ignore[method-assign]

            async def ask(number: int) -> float:
                who = people[number % N_PEOPLE]
                text = f"{fake.bot.mention} what was told to visitor {number} about the museum?"
                message = fake.world.add_message(fake.world.general, who, text)
                answered[message.id] = loop.create_future()
                began_s = time.perf_counter()
                await fake.gateway.dispatch_message("MESSAGE_CREATE", message)
                async with asyncio.timeout(60):
                    taken_s = await answered[message.id] - began_s
                del answered[message.id]
                return taken_s * 1000

            async def run(n: int, at_once: int) -> tuple[list[float], float]:
                numbers = iter(range(n))
                taken: list[float] = []

                async def lane() -> None:
                    for number in numbers:
                        taken.append(await ask(number))

                began_s = time.perf_counter()
                await asyncio.gather(*(lane() for _ in range(at_once)))
                return taken, time.perf_counter() - began_s

            pipe.send(fake.api_base)
            while True:
                order = await asyncio.to_thread(pipe.recv)
                if order is None:
                    return
                if order == "wait":
                    await fake.wait_until_online(timeout_s=60)
                    await asyncio.sleep(3)  # READY is believed two seconds after the last guild
                    pipe.send("online")
                elif order == "forget":
                    await fake.gateway.drop(code=1001)
                    fake.gateway.sessions.clear()
                    fake.world.messages.clear()
                    pipe.send("forgot")
                else:
                    pipe.send(await run(*order))

    with contextlib.suppress(EOFError):
        asyncio.run(serve())


# --- the bare bot ------------------------------------------------------------------------
def be_bare(streamed: bool) -> None:
    import discord
    import openai
    import yarl
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

    base = os.environ["DISCORD_API_BASE"]
    Route.BASE = base
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(base).with_scheme("ws").with_path("/gateway")
    intents = discord.Intents(guilds=True, guild_messages=True, message_content=True)
    client = discord.Client(intents=intents, max_messages=None)
    model = openai.AsyncOpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key=KEY)

    @client.event
    async def on_message(message: discord.Message) -> None:
        if message.author.bot or client.user not in message.mentions:
            return
        asked: Any = {
            "model": "bench",
            "messages": [
                {"role": "system", "content": "You are a helpful assistant."},
                {"role": "user", "content": message.content.partition("> ")[2]},
            ],
        }
        if streamed:
            said = ""
            async for chunk in await model.chat.completions.create(**asked, stream=True):
                if chunk.choices and chunk.choices[0].delta.content:
                    said += chunk.choices[0].delta.content
        else:
            answer = await model.chat.completions.create(**asked)
            said = answer.choices[0].message.content or ""
        await message.reply(said, mention_author=False)

    client.run(os.environ["DISCORD_TOKEN"], log_handler=None)


# --- the bench ------------------------------------------------------------------------------
def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


class Bench:
    def __init__(self, folder: Path, streamed: bool) -> None:
        self.streamed = streamed
        listening = socket.create_server(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        context = multiprocessing.get_context("fork")
        context.Process(target=serve_endpoint, args=(listening,), daemon=True).start()
        self.pipe, theirs = context.Pipe()
        context.Process(target=serve_discord, args=(theirs,), daemon=True).start()
        theirs.close()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environ = kept | {
            "DISCORD_API_BASE": self.pipe.recv(),
            "DISCORD_TOKEN": "MTA.fake.token-of-the-fake-discord",
            "OPENAI_BASE_URL": endpoint,
            "OPENAI_API_KEY": KEY,
            "CHAT_MODEL": "bench",
            "CHAT_STREAM": str(int(streamed)),
            "TRAINERBOT_DATA": str(folder),
            "LOG_LEVEL": "WARNING",
        }
        self.manage("migrate", "--verbosity", "0")
        for number in range(N_CORRECTIONS):
            self.teach(number)

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        subprocess.run(command, env=self.environ, check=True, stdout=subprocess.DEVNULL)

    def teach(self, number: int) -> None:
        if number:
            return
        program = (
            "from dashboard.services import corrections\n"
            f"for n in range({N_CORRECTIONS}):\n"
            "    corrections.propose(question=f'When does the library on street {n} open?',\n"
            "        better_answer=f'At {n}.', approved=True)\n"
        )
        self.manage("shell", "--no-imports", "-c", program)

    @contextlib.contextmanager
    def bot(self, which: str) -> Iterator[int]:
        command = [sys.executable, str(Path(__file__).resolve()), "--bare"]
        if self.streamed:
            command.append("--streamed")
        if which == "ours":
            command = [sys.executable, *PROFILE, str(ROOT / "manage.py"), "runbot"]
        process = subprocess.Popen(command, env=self.environ)
        try:
            self.tell("wait")
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            self.tell("forget")

    def tell(self, order: Any) -> Any:
        self.pipe.send(order)
        return self.pipe.recv()

    def measure(self, which: str, n: int) -> dict[str, float]:
        with self.bot(which) as pid:
            self.tell((WARM_UP, 4))
            found: dict[str, float] = {}
            for at_once in (1, 16):
                before_s = cpu_s(pid)
                taken, wall_s = self.tell((n, at_once))
                time.sleep(0.2)  # what follows an answer is part of its price
                cuts = statistics.quantiles(taken, n=100)
                found |= {
                    f"p50@{at_once}": cuts[49],
                    f"p99@{at_once}": cuts[98],
                    f"cpu@{at_once}": (cpu_s(pid) - before_s) * 1000 / n,
                    f"msg/s@{at_once}": n / wall_s,
                }
            return found | {"rss": rss_mib(pid)}


PROFILE: list[str] = []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--streamed", action="store_true")
    parser.add_argument("--only", choices=["ours", "bare"], help="measure just this one")
    parser.add_argument("--profile", metavar="FILE", help="run ours under cProfile")
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        be_bare(options.streamed)
        return
    if options.profile:
        PROFILE[:] = ["-m", "cProfile", "-o", options.profile]
    found: dict[str, list[dict[str, float]]] = {"bare": [], "ours": []}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.streamed)
        for number in range(options.rounds):
            for which, rounds in found.items():
                if options.only in (None, which):
                    rounds.append(bench.measure(which, options.messages))
                    shown = "  ".join(f"{name} {value:.2f}" for name, value in rounds[-1].items())
                    print(f"round {number + 1} {which}: {shown}", flush=True)
        bench.pipe.send(None)
    print(f"\n{platform.python_version()}, {os.cpu_count()} cores, medians of {options.rounds}")
    medians = {
        which: {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
        for which, rounds in found.items()
        if rounds
    }
    for name in next(iter(medians.values())):
        told = [f"{which} {values[name]:8.2f}" for which, values in medians.items()]
        if len(medians) == 2:
            told.append(f"ours/bare {medians['ours'][name] / medians['bare'][name]:.2f}")
        print(f"{name:10} {'  '.join(told)}")


if __name__ == "__main__":
    main()
