"""How well predicted labels match the expected ones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from trainerbot.errors import InvalidInput

Z_95: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label's precision, recall and F1 from 0 to 1, and how often it was expected."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Scores:
    """What a test of a classifier found. Shares are from 0 to 1.

    accuracy_low, accuracy_high: Wilson's 95 % interval.
    macro_f1: the plain mean over the labels that were expected or predicted;
    weighted_f1: the mean weighted by how often each was expected.
    confusion: a row for each of `labels` as expected, columns for each of
    `labels` as predicted and one more for answers that are none of them.
    """

    labels: tuple[str, ...]
    n_rows: int
    n_right: int
    n_unknown: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    by_label: tuple[LabelScore, ...]
    macro_f1: float
    weighted_f1: float
    confusion: tuple[tuple[int, ...], ...]


def scores(expected: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> Scores:
    """Score predictions, row by row; whatever is not one of `labels` is unknown and wrong.

    Computed by scikit-learn, which takes seconds to import the first time. Where
    a share has nothing to be a share of, it is 0. Raises InvalidInput for no
    rows, lists of different lengths, repeated labels, or an expected label that
    is not in `labels`.
    """
    _check(expected, predicted, labels)
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    # Numbers, so that a label may itself be named "unknown".
    numbers = {label: number for number, label in enumerate(labels)}
    unknown = len(numbers)
    right = [numbers[label] for label in expected]
    given = [numbers.get(label, unknown) for label in predicted]
    every = list(range(unknown))
    precision, recall, f1, support = precision_recall_fscore_support(
        right, given, labels=every, zero_division=0
    )
    by_label = tuple(
        LabelScore(label, float(precision[at]), float(recall[at]), float(f1[at]), int(support[at]))
        for label, at in numbers.items()
    )
    seen = {*right, *given} - {unknown}
    matrix = confusion_matrix(right, given, labels=[*every, unknown])
    n_rows, n_right = len(right), sum(a == b for a, b in zip(right, given, strict=True))
    low, high = wilson(n_right, n_rows)
    return Scores(
        labels=tuple(labels),
        n_rows=n_rows,
        n_right=n_right,
        n_unknown=given.count(unknown),
        accuracy=n_right / n_rows,
        accuracy_low=low,
        accuracy_high=high,
        by_label=by_label,
        macro_f1=sum(by_label[at].f1 for at in seen) / len(seen),
        weighted_f1=sum(score.f1 * score.support for score in by_label) / n_rows,
        confusion=tuple(tuple(map(int, row)) for row in matrix[:unknown]),
    )


def wilson(n_right: int, n_rows: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927), which also holds for few rows."""
    share, z2 = n_right / n_rows, Z_95**2
    middle = (share + z2 / (2 * n_rows)) / (1 + z2 / n_rows)
    reach = Z_95 / (1 + z2 / n_rows)
    reach *= math.sqrt(share * (1 - share) / n_rows + z2 / (4 * n_rows**2))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _check(expected: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> None:
    if not expected:
        raise InvalidInput("There is nothing to score. Choose a set with labelled examples.")
    if len(expected) != len(predicted):
        raise InvalidInput(
            f"There are {len(expected):,} examples but {len(predicted):,} predictions. "
            "Run the test again."
        )
    if len(set(labels)) != len(labels):
        raise InvalidInput("A label is listed twice. Name each once.")
    if strange := sorted(set(expected) - set(labels)):
        raise InvalidInput(f"Examples are labelled “{strange[0]}”, which is not among the labels.")
