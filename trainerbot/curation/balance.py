"""How evenly the labels of a set are spread."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

MODERATE: Final = 4.0
"""From this ratio on the rarer label has a fifth or less of the two, which Google's
Machine Learning Crash Course calls moderately imbalanced."""

FEW: Final = 10
"""Below so many examples a label can hardly be learned, nor its score be trusted."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Examples a label, most first; how many times the commonest outnumbers the rarest.

    `said` is one sentence for people about what is wrong, or None.
    """

    counts: Mapping[str, int]
    ratio: float
    said: str | None


def balance(labels: Iterable[str]) -> Balance:
    """Count the labels. The ratio is 1 for equal counts, and for no or one label."""
    counted = Counter(labels)
    counts = dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))
    if not counts:
        return Balance({}, 1.0, None)
    common, rare = next(iter(counts)), list(counts)[-1]
    ratio = counts[common] / counts[rare]
    return Balance(counts, ratio, _judge(counts, common, rare, ratio))


def _judge(counts: Mapping[str, int], common: str, rare: str, ratio: float) -> str | None:
    if len(counts) == 1:
        return f"Every example is “{common}”: nothing can be told apart. Add other labels."
    n_rare = counts[rare]
    if ratio >= MODERATE:
        return (
            f"“{common}” has {ratio:.1f} times as many examples as “{rare}” "
            f"({counts[common]:,} and {n_rare:,}). Add some of “{rare}”."
        )
    if counts[common] < FEW:
        return (
            f"No label has more than {counts[common]:,} examples. Add more before trusting a score."
        )
    if n_rare < FEW:
        return f"“{rare}” has only {n_rare:,} of the examples. Add more before trusting its score."
    return None
