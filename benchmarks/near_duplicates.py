"""Near duplicates among 100,000 texts: ours against datasketch's MinHashLSH.

    python3 benchmarks/near_duplicates.py [--rounds 5] [--rows 100000]

Writes one file of texts in which a tenth are copies with a few words changed,
so that which pairs are near is known. Both read the same file in a process of
their own, taking turns, and judge likeness by the same words and pairs of
words at 0.8. datasketch runs as its documentation shows: MinHash of 128
permutations, one query and one insertion a text; its pairs are candidates that
it does not compare again. Prints medians of wall and CPU seconds (user and
system) and peak memory, and the precision and recall of each.
"""

import argparse
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
THRESHOLD = 0.8
SHARE_PLANTED = 0.1
ALPHABETS = ("abcdefghijklmnopqrstuvwxyz", "абвгдежзиклмнопрстуфхцчшщыьэюя")


def make_texts(n_rows: int, path: Path) -> None:
    """Write texts, a JSON array a line: 8 to 110 words, half Russian, a tenth of them copies."""
    chance = random.Random(20_261_121)
    vocabularies = []
    for letters in ALPHABETS:
        words = ["".join(chance.choices(letters, k=chance.randint(2, 10))) for _ in range(30_000)]
        weights = accumulate(1 / rank for rank in range(1, len(words) + 1))  # as Zipf found
        vocabularies.append((words, list(weights)))
    originals: list[list[str]] = []
    with path.open("w", encoding="utf-8") as file:
        for _ in range(n_rows):
            if originals and chance.random() < SHARE_PLANTED:
                words = list(chance.choice(originals))
                vocabulary, _ = chance.choice(vocabularies)
                # 0 to 8 % of the words: some stay above the threshold, some fall below.
                for _ in range(chance.randint(0, max(1, len(words) * 8 // 100))):
                    words[chance.randrange(len(words))] = chance.choice(vocabulary)
            else:
                vocabulary, weights = chance.choice(vocabularies)
                words = chance.choices(vocabulary, cum_weights=weights, k=chance.randint(8, 110))
                originals.append(words)
            file.write(json.dumps(" ".join(words), ensure_ascii=False) + "\n")


def read_texts(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file):
            yield number, json.loads(line)


def ours(path: Path) -> list[tuple[int, int]]:
    from trainerbot.curation import near_duplicates

    return [(near.key, near.of) for near in near_duplicates(read_texts(path))]


def datasketch(path: Path) -> list[tuple[int, int]]:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    pairs = []
    for number, text in read_texts(path):
        sketch = MinHash(num_perm=128)
        sketch.update_batch([shingle.encode() for shingle in shingles(text)])
        found = index.query(sketch)
        if found:
            pairs.append((number, min(found)))
        else:
            index.insert(number, sketch)
    return pairs


def shingles(text: str) -> set[str]:
    words = text.split()
    return {*words, *(f"{one} {other}" for one, other in pairwise(words))}


def run_one(name: str, path: Path, result: Path) -> None:
    """Search in this process, and write what was found and what it took."""
    began = time.perf_counter()
    pairs = {"ours": ours, "datasketch": datasketch}[name](path)
    wall_s = time.perf_counter() - began
    usage = resource.getrusage(resource.RUSAGE_SELF)
    result.write_text(
        json.dumps(
            {
                "wall_s": wall_s,
                "cpu_s": usage.ru_utime + usage.ru_stime,
                "peak_mib": usage.ru_maxrss / 1024,
                "pairs": pairs,
            }
        )
    )


def judge(pairs: list[list[int]], texts: list[str], near: set[int]) -> tuple[float, float]:
    """Return precision and recall of pairs, each counted in full.

    Precision: the share of reported pairs that reach the threshold. Recall: of
    the texts known to be near to an earlier one, the share reported.
    """
    n_true = sum(likeness(texts[one], texts[other]) >= THRESHOLD for one, other in pairs)
    recalled = len(near & {one for one, _ in pairs}) / len(near)
    return n_true / len(pairs), recalled


def likeness(one: str, other: str) -> float:
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


def planted(texts: list[str]) -> set[int]:
    """Return the texts at least THRESHOLD like an earlier one, by comparing all that may be.

    Two such texts share at least one of the rarest fifth of their shingles
    (prefix filter, Chaudhuri et al. 2006), so that none is missed.
    """
    counts: dict[str, int] = {}
    for text in texts:
        for shingle in shingles(text):
            counts[shingle] = counts.get(shingle, 0) + 1
    near, seen = set(), dict[str, list[int]]()
    for number, text in enumerate(texts):
        own = sorted(shingles(text), key=lambda shingle: (counts[shingle], shingle))
        prefix = own[: len(own) - int(-(-THRESHOLD * len(own) // 1)) + 1]
        candidates = {other for shingle in prefix for other in seen.get(shingle, ())}
        if any(likeness(text, texts[other]) >= THRESHOLD for other in candidates):
            near.add(number)
        for shingle in prefix:
            seen.setdefault(shingle, []).append(number)
    return near


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--one", nargs=3, metavar=("NAME", "TEXTS", "RESULT"), help="for itself")
    asked = parser.parse_args()
    if asked.one:
        run_one(asked.one[0], Path(asked.one[1]), Path(asked.one[2]))
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="trainerbot-near-") as folder:
        path, result = Path(folder, "texts.jsonl"), Path(folder, "result.json")
        make_texts(asked.rows, path)
        runs: dict[str, list[dict[str, Any]]] = {"ours": [], "datasketch": []}
        for at in range(asked.rounds):
            for name, done in runs.items():
                command = [sys.executable, __file__, "--one", name, str(path), str(result)]
                environ = os.environ | {"PYTHONPATH": str(ROOT)}
                subprocess.run(command, check=True, env=environ)
                done.append(json.loads(result.read_text()))
                took = f"{done[-1]['wall_s']:.1f} s wall, {done[-1]['cpu_s']:.1f} s CPU"
                print(f"round {at + 1}, {name}: {took}", flush=True)
        texts = [text for _, text in read_texts(path)]
        near = planted(texts)
    print(f"{len(texts):,} texts, {sum(map(len, texts)) / len(texts):.0f} characters on average")
    print(f"{len(near):,} of them are near to an earlier one")
    for name, done in runs.items():
        wall_s, cpu_s, peak_mib = (
            statistics.median(run[figure] for run in done)
            for figure in ("wall_s", "cpu_s", "peak_mib")
        )
        precision, recall = judge(done[0]["pairs"], texts, near)
        print(
            f"{name}: {wall_s:.1f} s wall, {cpu_s:.1f} s CPU, {peak_mib:.0f} MiB at most; "
            f"{len(done[0]['pairs']):,} pairs, precision {precision:.4f}, recall {recall:.4f}"
        )


if __name__ == "__main__":
    main()
