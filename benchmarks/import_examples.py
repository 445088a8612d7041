"""How long 1,000,000 examples take from a file to rows, against Django's own bulk_create.

    python3 run.py manage shell -c "" first, then .venv/bin/python benchmarks/import_examples.py

Each round runs both in fresh processes on fresh SQLite databases: ours is
`importdataset` (check, rows, search index, hash), the peer reads the same
file with json and stores the same columns by bulk_create in batches of 2,000,
without any check. CPU time and peak memory are those of the whole process.
The last part kills ours at random moments and runs it again: no row may be
missing or there twice.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEER = """
import json, sys, django
django.setup()
from itertools import islice
from dashboard.models import Dataset, DatasetVersion, Example, Provenance
dataset = Dataset.objects.create(name="peer")
version = DatasetVersion.objects.create(dataset=dataset, number=1, n_examples=0, n_bytes=0)
provenance = Provenance.objects.create(source="command")
def rows():
    with open(sys.argv[1], encoding="utf-8") as file:
        for position, line in enumerate(file):
            record = json.loads(line)
            yield Example(version=version, position=position, line=position + 1, record=record,
                          question=record["messages"][-2]["content"],
                          answer=record["messages"][-1]["content"], provenance=provenance)
made = rows()
while batch := list(islice(made, 2000)):
    Example.objects.bulk_create(batch)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kills", type=int, default=3)
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="trainerbot-bench-"))
    try:
        path = folder / "lines.jsonl"
        write_lines(path, args.lines)
        print(f"{args.lines:,} lines, {path.stat().st_size / 1e6:.0f} MB")
        ours = [str(ROOT / "manage.py"), "importdataset", str(path), "--name", "bench"]
        peer = ["-c", PEER, str(path)]
        measured: dict[str, list[tuple[float, float, float]]] = {"ours": [], "peer": []}
        for number in range(1, args.rounds + 1):
            for name, command in (("ours", ours), ("peer", peer)):
                measured[name].append(timed(command, fresh(folder)))
                wall, cpu, peak = measured[name][-1]
                print(f"round {number} {name}: {wall:.1f} s, {cpu:.1f} s CPU, {peak:.0f} MB")
        for name, found in measured.items():
            wall, cpu, peak = (statistics.median(column) for column in zip(*found, strict=True))
            print(f"{name}: median {wall:.1f} s, {cpu:.1f} s CPU, peak {peak:.0f} MB")
        survive(ours, fresh(folder), n_kills=args.kills, n_lines=args.lines)
    finally:
        shutil.rmtree(folder)


def write_lines(path: Path, n_lines: int) -> None:
    """About 430 bytes a line, as real chats have them; no two the same."""
    words = [f"{stem}{ending}" for stem in STEMS for ending in ENDINGS]
    rng = random.Random(7)
    with path.open("w", encoding="utf-8") as file:
        for number in range(n_lines):
            asked = " ".join(rng.choices(words, k=14))
            answered = " ".join(rng.choices(words, k=26))
            row = {
                "messages": [
                    {"role": "system", "content": "You answer for the workshop."},
                    {"role": "user", "content": f"{number}: {asked}?"},
                    {"role": "assistant", "content": f"{answered}."},
                ]
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


STEMS = [
    "kiln",
    "glaze",
    "clay",
    "wheel",
    "shelf",
    "oven",
    "firing",
    "bowl",
    "plate",
    "lamp",
    "door",
    "key",
    "roof",
    "garden",
    "tool",
]
ENDINGS = ["", "s", "ing", "er", "ware", "less", "ful", "ly", "man", "work"]


def fresh(folder: Path) -> dict[str, str]:
    """The environment of a new, migrated data folder."""
    data = Path(tempfile.mkdtemp(dir=folder))
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "TRAINERBOT_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "trainerbot.settings",
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "-v", "0"], env=env, check=True
    )
    return env


def timed(command: list[str], env: dict[str, str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MB of one fresh process."""
    begun = time.monotonic()
    process = subprocess.Popen([sys.executable, *command], env=env, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed with {status}")
    wall = time.monotonic() - begun
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def survive(command: list[str], env: dict[str, str], *, n_kills: int, n_lines: int) -> None:
    """Kill the import at random moments; a worker finishes it, and every row is there once."""
    rng = random.Random(11)
    process = subprocess.Popen([sys.executable, *command], env=env, stdout=subprocess.DEVNULL)
    for _ in range(n_kills):
        time.sleep(rng.uniform(2, 8))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        print(f"killed with {count(env):,} rows stored")
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "worker"],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    until = time.monotonic() + 600
    while count(env, whole=True) < n_lines and time.monotonic() < until:
        time.sleep(1)
    process.terminate()
    process.wait()
    print(f"after the kills: {count(env):,} rows, {count(env, distinct=True):,} of them distinct")


def count(env: dict[str, str], *, distinct: bool = False, whole: bool = False) -> int:
    import sqlite3

    what = "count(DISTINCT line)" if distinct else "count(*)"
    where = " WHERE version_id IN (SELECT id FROM dashboard_datasetversion WHERE is_whole)"
    database = Path(env["TRAINERBOT_DATA"]) / "trainerbot.sqlite3"
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        sql = f"SELECT {what} FROM dashboard_example" + (where if whole else "")
        found: int = connection.execute(sql).fetchone()[0]
        return found
    finally:
        connection.close()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
