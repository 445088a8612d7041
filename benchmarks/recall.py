"""Measure recall: python -m benchmarks.recall [quality | speed]

Quality: the tests' own set (tests/trainerbot/conversation/recall_set), by words
alone and by meaning with each embedding model that is installed. Speed: 50 and
100,000 corrections, and 100,000 with vectors (made up, as what they mean costs
no time). Prints tables.
"""

import random
import resource
import statistics
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.embedding_models import Local, installed
from trainerbot.conversation import Memory, Recall
from trainerbot.retrieval.calibration.asked import QUESTIONS, Asked, Known, load
from trainerbot.retrieval.calibration.fitting import MAX_DIMENSIONS, calibrate, texts
from trainerbot.retrieval.meaning import Space, packed

ROOT = Path(__file__).resolve().parents[1]
SETS = {
    "the tests' set": ROOT / "tests/trainerbot/conversation/recall_set",
    "the set it was fitted on": QUESTIONS,
}
N_MANY = 100_000
N_ASKED = 1_000


def quality(name: str, known: list[Known], asked: list[Asked], space: Space | None) -> None:
    """Print of each kind of question what was recalled, in per cent."""
    made = space.embed([one.question for one in known]) if space else [None] * len(known)
    memories = [
        Memory(n, one.question, f"Answer {n}.", vector=None if vector is None else packed(vector))
        for n, (one, vector) in enumerate(zip(known, made, strict=True))
    ]
    recall = Recall(memories, space)
    level = f"words and {space.name}" if space else "words alone"
    print(f"\n{name}, {level}: {len(known)} corrections")
    print("kind            asked  right first  other's words  any example  wrong example first")
    kinds = sorted({one.kind for one in asked})
    for kind in ("verbatim", *kinds):
        rows = (
            [Asked(one.question, n, kind, n) for n, one in enumerate(known)]
            if kind == "verbatim"
            else [one for one in asked if one.kind == kind]
        )
        right = words = shown = wrong = 0
        for one in rows:
            found = recall.recall(one.text)
            first = found.verbatim or (found.examples[0][0] if found.examples else None)
            right += first is not None and first.id == one.right
            words += found.verbatim is not None and found.verbatim.id != one.right
            shown += bool(found.examples)
            wrong += bool(found.examples) and first is not None and first.id != one.right
        print(
            f"{kind:<14}{len(rows):>6}"
            + "".join(
                f"{100 * n / len(rows):>{width}.1f}"
                for n, width in ((right, 13), (words, 15), (shown, 13), (wrong, 21))
            )
        )


class Invented:
    """Embeds a text as numbers that its letters lead to, at no cost."""

    name = "invented"

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        made = [
            np.random.default_rng(zlib.crc32(text.encode())).normal(size=MAX_DIMENSIONS)
            for text in texts
        ]
        return np.array(made, dtype=np.float32)


def made_up(n: int) -> list[str]:
    """Return questions as people ask them, each with two made-up words, the same ones each time."""
    source = random.Random(1)
    known, _ = load()
    syllables = [a + b for a in "bcdfghklmnprstvz" for b in "aeiou"]
    invented = ["".join(source.choices(syllables, k=source.randint(2, 4))) for _ in range(20_000)]
    return [
        " ".join(source.choice(known).question.rstrip("?").split() + source.choices(invented, k=2))
        + "?"
        for _ in range(n)
    ]


def speed(n_corrections: int, *, by_meaning: bool) -> None:
    """Print what recall takes and holds among so many corrections of made-up words."""
    source = random.Random(1)
    _, asked = load()
    questions = made_up(n_corrections + 1)
    embedder = Invented()
    space = Space(embedder) if by_meaning else None

    def memory(n: int, text: str) -> Memory:
        vector = packed(embedder.embed([text])[0]) if by_meaning else None
        return Memory(n, text, words.format(n), vector=vector)

    words = "Answer {} in a sentence or two, as people write."
    before, began = _resident_mib(), time.thread_time()
    recall = Recall((memory(n, text) for n, text in enumerate(questions[:-1])), space)
    recall.recall("something to build the index for")
    level = f"words and vectors of {MAX_DIMENSIONS}" if by_meaning else "words"
    print(f"\n{n_corrections:,} corrections, by {level} (numpy {np.__version__})")
    print(f"built in {time.thread_time() - began:.1f} s of CPU, {_resident_mib() - before:.0f} MiB")
    wall, cpu = [], []
    for _ in range(N_ASKED):
        text = source.choice(asked).text
        start, start_cpu = time.perf_counter(), time.thread_time()
        recall.recall(text)
        wall.append(time.perf_counter() - start)
        cpu.append(time.thread_time() - start_cpu)
    for name, times in (("wall", wall), ("CPU", cpu)):
        cuts = statistics.quantiles(times, n=100)
        print(f"a question, {name}: p50 {1000 * cuts[49]:.2f} ms, p99 {1000 * cuts[98]:.2f} ms")
    start = time.perf_counter()
    recall = recall.changed({n_corrections: memory(n_corrections, questions[-1])})
    recall.recall("something to build the index for")
    print(f"one more in force after {1000 * (time.perf_counter() - start):.0f} ms")


def _resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def calibrated(name: str) -> Space:
    embedder = Local(name)
    every = texts()
    return Space(embedder, calibrate(dict(zip(every, embedder.embed(every), strict=True))))


def main() -> None:
    which = sys.argv[1] if len(sys.argv) > 1 else ""
    if which in ("", "quality"):
        spaces = [None, *map(calibrated, installed())]
        for name, folder in SETS.items():
            for space in spaces:
                quality(name, *load(folder), space)
    if which in ("", "speed"):
        speed(50, by_meaning=False)
        speed(50, by_meaning=True)
        speed(N_MANY, by_meaning=False)
    if which in ("", "speed", "speed-by-meaning"):
        speed(N_MANY, by_meaning=True)


if __name__ == "__main__":
    main()
