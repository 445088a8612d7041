"""How long 500 tests take against a model that answers at once: what is ours of a run.

    python benchmarks/suite_run.py [--cases 500] [--rounds 3]

The model is a process of its own on a loopback port that streams an answer as
soon as it is asked. Told is the wall time of the worker's task, from the claim
to the score, on a fresh SQLite file; without recall, and with recall among as
many corrections, whose questions are asked in other words.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

THINGS = "library kitchen garden museum office workshop harbour station theatre market".split()  # noqa: SIM905 (reads better)
ANSWER = "The place opens at nine in the morning and closes at six."


async def serve() -> None:
    """Stream the same answer to every question, over connections that stay open."""
    pieces = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ANSWER}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 12}},
    ]
    frame = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "instant"}
    body = "".join(f"data: {json.dumps(frame | piece)}\n\n" for piece in pieces)
    told = (body + "data: [DONE]\n\n").encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(told)}\r\n\r\n"
    ).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asked = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(asked.split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                writer.write(head + told)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


def measure(n_cases: int, rounds: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from dashboard.models import Correction
    from dashboard.services import recall, suites, tasks
    from dashboard.services.suites.content import Content, make_version
    from dashboard.services.suites.library import Suite

    call_command("migrate", verbosity=0)
    rows = [
        Correction(
            question=f"When does {THINGS[n % 10]} number {n} open, and until when?",
            better_answer=f"{THINGS[n % 10].title()} {n} opens at {n % 12 + 1}.",
            state=Correction.State.APPROVED,
        )
        for n in range(n_cases)
    ]
    Correction.objects.bulk_create(rows)
    suite = Suite.objects.create(name="Benchmark", kind=Suite.Kind.UPLOADED)
    contents = [
        Content(
            question=f"At what time may I come to {THINGS[n % 10]} number {n}?",
            expected=f"{THINGS[n % 10].title()} {n} opens at {n % 12 + 1}.",
        )
        for n in range(n_cases)
    ]
    version = make_version(suite, contents, actor=None)
    recall.warm()
    for with_recall in (False, True):
        times = []
        for _ in range(rounds):
            run = suites.submit(version=version, model="instant", with_recall=with_recall)
            began = time.perf_counter()
            tasks.run_next("benchmark", pk=run.task_id)
            times.append(time.perf_counter() - began)
            done = suites.get(run.pk)
            assert (done.status, done.n_done) == ("succeeded", n_cases), done.error
        what = "with recall" if with_recall else "without recall"
        told = ", ".join(f"{each:.2f}" for each in times)
        print(f"{n_cases} tests {what}: median {statistics.median(times):.2f} s ({told})")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help="Be the model")
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    model = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True
    )
    assert model.stdout is not None
    port = int(model.stdout.readline())
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.environ |= {
                "DJANGO_SETTINGS_MODULE": "trainerbot.settings",
                "TRAINERBOT_DATA": folder,
                "DATABASE_URL": f"sqlite:///{folder}/rows.sqlite3",
                "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
                "OPENAI_API_KEY": "benchmark",
            }
            measure(options.cases, options.rounds)
    finally:
        model.kill()
        model.wait()


if __name__ == "__main__":
    main()
