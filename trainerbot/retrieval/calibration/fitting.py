"""Find the calibration of an embedding model, and what its scores are worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from trainerbot.retrieval.calibration import Calibration, script, unit
from trainerbot.retrieval.calibration.asked import Asked, Known, load
from trainerbot.retrieval.judging import Meaning, is_another, signs
from trainerbot.retrieval.nearest import NearestTexts
from trainerbot.retrieval.strangers import STRANGERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Vectors = npt.NDArray[np.float32]
    Flags = npt.NDArray[np.bool_]

N_FOLDS: Final = 5
N_CANDIDATES: Final = 10
N_STEPS: Final = 40
RIDGE: Final = 3.0
SHRINKAGE: Final = 3.0
"""How much of the mean variance every direction is given: few hundred pairs know few of them."""

MAX_DIMENSIONS: Final = 192
LONGEST: Final = 1e15
"""Of a vector; the square of a longer one is no float32."""

LEAST_SPREAD: Final = 1e-4
"""Of the number that differs most among all texts, in vectors of length 1."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Our questions with their raw vectors, by text."""

    known: list[Known]
    asked: list[Asked]
    raw: dict[str, Vectors]

    def vectors(self, texts: Sequence[str]) -> Vectors:
        return np.array([self.raw[text] for text in texts], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Each question with its candidates: signs (n, m), whether right, and of which question."""

    signs: Floats
    right: Floats
    of: npt.NDArray[np.int64]


def texts() -> list[str]:
    """Return what a model must embed to be calibrated: some 900 short texts, each once."""
    known, asked = load()
    every = [*(one.question for one in known), *(one.text for one in asked), *STRANGERS]
    return list(dict.fromkeys(every))


def calibrate(raw: dict[str, Vectors]) -> Calibration:
    """Return the calibration of the model that embedded `texts()` so; takes some seconds.

    The weights are found on distances that were made without the question
    that is asked, or they would trust the distances too much. Raises ValueError
    for vectors of which most are the same, or that are too long to be compared.
    """
    vectors = np.array(list(raw.values()), dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not 0 < lengths.min() <= lengths.max() < LONGEST:
        raise ValueError("Some vectors have no direction.")
    if (vectors / lengths).std(axis=0).max() < LEAST_SPREAD:
        raise ValueError("All vectors have about the same direction.")
    known, asked = load()
    sample = Sample(known, asked, raw)
    pairs, _ = cross_fitted(sample)
    weights = fit(pairs, np.ones(len(pairs.right), dtype=bool))
    return project(sample, asked, tuple(weights.tolist()))


def cross_fitted(sample: Sample) -> tuple[Pairs, npt.NDArray[np.int64]]:
    """Return all pairs, each by a projection that its question had no part in, and its fold."""
    rows: list[Pairs] = []
    folds: list[npt.NDArray[np.int64]] = []
    for fold in range(N_FOLDS):
        seen = [one for one in sample.asked if one.group % N_FOLDS != fold]
        mine = [n for n, one in enumerate(sample.asked) if one.group % N_FOLDS == fold]
        found = compare(sample, project(sample, seen, ()), mine)
        rows.append(found)
        folds.append(np.full(len(found.right), fold))
    return (
        Pairs(
            np.vstack([one.signs for one in rows]),
            np.concatenate([one.right for one in rows]),
            np.concatenate([one.of for one in rows]),
        ),
        np.concatenate(folds),
    )


def compare(
    sample: Sample, calibration: Calibration | None, which: Sequence[int] | None = None
) -> Pairs:
    """Compare questions (by their places) with their nearest corrections; vetoed ones left out."""
    questions = [one.question for one in sample.known]
    letters = NearestTexts(list(enumerate(questions)))
    if calibration is not None:
        placed = calibration.place(questions, sample.vectors(questions))
        strangers = calibration.nearness(placed)
    rows, right, of = [], [], []
    for n in range(len(sample.asked)) if which is None else which:
        one = sample.asked[n]
        near = {match.key: match.score for match in letters.nearest(one.text, len(questions))}
        candidates = set(list(near)[:N_CANDIDATES])
        if calibration is not None:
            mine = calibration.place([one.text], sample.vectors([one.text]))
            cosines, nearness = placed @ mine[0], float(calibration.nearness(mine)[0])
            candidates |= set(np.argsort(-cosines)[:N_CANDIDATES].tolist())
        for i in sorted(candidates):
            # The sets ask some of the same in two languages, and do not say which.
            if calibration is not None and script(one.text) != script(questions[i]):
                continue
            if is_another(one.text, questions[i]):
                continue
            meaning = None
            if calibration is not None:
                meaning = Meaning(float(cosines[i]), nearness, float(strangers[i]))
            rows.append(signs(one.text, questions[i], near.get(i, 0.0), meaning))
            right.append(i == one.right)
            of.append(n)
    return Pairs(np.array(rows), np.array(right, float), np.array(of))


def fit(data: Pairs, rows: Flags) -> Floats:
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
    fitted: Floats = np.r_[weights, found[-1] - weights @ mean]
    return fitted


def chances(data: Pairs, weights: Floats) -> Floats:
    """Return the chance of each pair."""
    return np.asarray(1 / (1 + np.exp(-(data.signs @ weights[:-1] + weights[-1]))))


def project(sample: Sample, seen: Sequence[Asked], weights: tuple[float, ...]) -> Calibration:
    """Return the calibration that those of the asked questions make which are `seen`."""
    questions = [one.question for one in sample.known]
    every = list(dict.fromkeys([*questions, *(one.text for one in seen), *STRANGERS]))
    means = _means(every, unit(sample.vectors(every)))

    def centred(some: Sequence[str]) -> Vectors:
        found: Vectors = unit(sample.vectors(some)) - means[[script(text) for text in some]]
        return found

    wordings = [one for one in seen if one.right is not None and one.kind.startswith("hard")]
    apart = centred([one.text for one in wordings]) - centred(
        [questions[one.right or 0] for one in wordings]
    )
    whiten = _whitening(apart)
    _, _, axes = np.linalg.svd(whiten(centred(every)), full_matrices=False)
    projection = whiten(axes[:MAX_DIMENSIONS]).T.astype(np.float32)
    strangers = unit(centred(STRANGERS) @ projection)
    return Calibration(means, projection, strangers, weights)


def _whitening(apart: Vectors) -> Callable[[Vectors], Vectors]:
    """Return what multiplies rows by (C + shrinkage) to the power of -1/2.

    C is the covariance of the differences; of d directions it knows as many as
    there are pairs, so no matrix of d by d is ever made.
    """
    _, lengths, axes = np.linalg.svd(apart, full_matrices=False)
    variances = lengths**2 / len(apart)
    floor = SHRINKAGE * variances.sum() / apart.shape[1]
    scales = (np.sqrt(floor / (variances + floor)) - 1)[None, :]

    def whiten(rows: Vectors) -> Vectors:
        found: Vectors = rows + ((rows @ axes.T) * scales) @ axes
        return found

    return whiten


def _means(every: Sequence[str], vectors: Vectors) -> Vectors:
    scripts = np.array([script(text) for text in every])
    overall = vectors.mean(axis=0)
    return np.array(
        [
            vectors[scripts == each].mean(axis=0) if (scripts == each).any() else overall
            for each in range(3)
        ],
        dtype=np.float32,
    )
