"""What recall costs a turn among 100,000 corrections, the vector of its question included.

    python benchmarks/recall_in_turn.py [--corrections 100000] [--rows sqlite:///...]

The rows are in the database, `python -m trainerbot.modelserver` embeds them
and each question, and this process does what a turn on Discord does:
`recall.foresee` on its event loop, then, in the rows' thread, a look whether
anything changed, and the search. No question comes twice. `--rows` keeps the
rows (and their vectors, which take minutes) for the next time. At the end
another process approves a correction.
"""

import argparse
import asyncio
import gc
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

KEY = "benchmark"
PORT = 8791
"""The same each time: vectors of another address are those of another model."""

N_ASKED = 1_000
TAUGHT = "How many wooden spoons hang in the clubhouse?"
TICKS = os.sysconf("SC_CLK_TCK")


def serve(data: str) -> subprocess.Popen[str]:
    """Start the model server."""
    process = subprocess.Popen(
        [sys.executable, "-m", "trainerbot.modelserver", "--data", data, "--port", str(PORT)],
        cwd=ROOT,
        env={**os.environ, "MODELSERVER_API_KEY": KEY},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "Serving on http://" in line:
            return process
    sys.exit("The model server did not start.")


def fill_rows(n: int) -> None:
    """Have `n` approved corrections, each with its vector."""
    from benchmarks.recall import made_up
    from dashboard.models import Correction
    from dashboard.services import meanings

    have = Correction.objects.count()
    Correction.objects.bulk_create(
        (
            Correction(
                question=text,
                better_answer=f"Answer {number} in a sentence or two, as people write.",
                state=Correction.State.APPROVED,
            )
            for number, text in enumerate(made_up(n)[have:], have)
        ),
        batch_size=1_000,
    )
    began, made = time.perf_counter(), 0
    while some := meanings.fill():
        made += some
    if made:
        print(f"{made:,} corrections embedded in {time.perf_counter() - began:.0f} s")


def questions() -> list[str]:
    from benchmarks.recall import SETS
    from trainerbot.retrieval.calibration.asked import load

    every = {one.text for folder in SETS.values() for one in load(folder)[1]}
    asked = sorted(every)
    random.Random(2).shuffle(asked)
    return asked[:N_ASKED]


async def ask(server: int) -> None:
    """Print what each step takes, and what the processes spend on it."""
    from dashboard.models import Correction
    from dashboard.services import recall
    from dashboard.services.chat import kept
    from dashboard.services.chat.hopping import hop

    @hop
    def recalled(question: str) -> float:
        kept.current().index.recall(question, asks=False)
        return time.perf_counter()

    @hop
    def indexed() -> int:
        index = recall.current()
        index.recall("something to build the index for", asks=False)
        return index.n_corrections

    @hop
    def read() -> None:
        # What the libraries themselves take, and SQLite keeps of what it read, is not the index's.
        import openai  # noqa: F401 (only loaded)

        recall.warm()
        for _ in Correction.objects.values_list().iterator():
            pass

    await read()
    before, began = _resident_mib(), time.perf_counter()
    n = await indexed()
    print(f"{n:,} in the index after {time.perf_counter() - began:.1f} s", end=", ")
    print(f"{_resident_mib() - before:.0f} MiB")
    asked = questions()
    gc.collect()
    gc.freeze()  # as the bot does
    gc.set_threshold(10_000, 20, 20)
    for text in asked[:20]:
        await recall.foresee(text)
        await recalled(text)
    whole, vector, search = [], [], []
    spent, spent_there = time.process_time(), _cpu_s(server)
    for text in asked[20:]:
        start = time.perf_counter()
        await recall.foresee(text)
        known = time.perf_counter()
        done = await recalled(text)
        vector.append(known - start)
        search.append(done - known)
        whole.append(done - start)
    spent, spent_there = time.process_time() - spent, _cpu_s(server) - spent_there
    for name, times in (("its vector", vector), ("the search", search), ("both", whole)):
        cuts = statistics.quantiles(times, n=100)
        print(
            f"{name:<12} p50 {1000 * cuts[49]:5.2f} ms, p90 {1000 * cuts[89]:5.2f}, "
            f"p99 {1000 * cuts[98]:5.2f}, worst {1000 * max(times):5.2f}"
        )
    each = 1000 / len(whole)
    print(f"CPU a question: {spent * each:.2f} ms here, {spent_there * each:.2f} ms in the server")
    print(f"{_resident_mib() - before:.0f} MiB")


def _resident_mib() -> float:
    """Of its own: the pages of the database's file are the system's."""
    told = Path("/proc/self/status").read_text()
    return int(told.split("RssAnon:")[1].split()[0]) / 1024


def _cpu_s(pid: int) -> float:
    figures = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(figures[11]) + int(figures[12])) / TICKS


async def follow(arguments: list[str]) -> None:
    """Print how soon this process goes by what another one approves."""
    from dashboard.services import recall
    from dashboard.services.chat.hopping import hop

    @hop
    def is_known() -> bool:
        return recall.current().recall(TAUGHT, asks=False).verbatim is not None

    assert not await is_known()
    teacher = await asyncio.create_subprocess_exec(
        sys.executable, __file__, *arguments, "--teach", stdout=asyncio.subprocess.PIPE
    )
    while not await is_known():  # noqa: ASYNC110 (it waits for another process)
        await asyncio.sleep(0.01)
    known = time.time()
    told, _ = await teacher.communicate()
    # Negative where it was found before the other process had got to its next line.
    print(f"approved by another process: in force {1000 * (known - float(told)):.0f} ms after")


def teach() -> None:
    from dashboard.models import Correction
    from dashboard.services import corrections

    Correction.objects.filter(question=TAUGHT).delete()
    corrections.propose(question=TAUGHT, better_answer="Seven of them.", approved=True)
    print(time.time())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--corrections", type=int, default=100_000)
    parser.add_argument("--rows", default="", help="where the rows are kept, as a DATABASE_URL")
    parser.add_argument("--teach", action="store_true", help="approve a correction and end")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "trainerbot.settings",
            "TRAINERBOT_DATA": folder,
            "DATABASE_URL": options.rows or f"sqlite:///{folder}/rows.sqlite3",
            "MODELSERVER_API_KEY": KEY,
            "MODELSERVER_PORT": str(PORT),
        }
        import django

        if options.teach:
            django.setup()
            teach()
            return
        server = serve(folder)
        try:
            django.setup()
            from django.core.management import call_command

            from dashboard.models import Correction

            call_command("migrate", verbosity=0)
            Correction.objects.filter(question=TAUGHT).delete()
            fill_rows(options.corrections)
            asyncio.run(ask(server.pid))
            asyncio.run(follow(["--rows", os.environ["DATABASE_URL"]]))
        finally:
            server.terminate()
            with server:
                pass


if __name__ == "__main__":
    main()
