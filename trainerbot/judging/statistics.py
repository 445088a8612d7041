"""How sure a score is: bootstrap intervals, a paired difference, and how far two judges agree."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

SAMPLES: Final = 10_000
AT_ONCE: Final = 200
SEED: Final = 20_260
"""The same answers always get the same interval."""

DIGITS: Final = 4  # of scores: as many as a page or a file shows
LOW, HIGH = 2.5, 97.5
Z_95: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval, low <= mean <= high."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two judges agree: the share of equal votes, and Cohen's kappa.

    `kappa` is 1 for full agreement, 0 for what chance alone gives, and None
    where there is nothing to tell: no votes, or both always said the same.
    """

    n: int
    share: float | None
    kappa: float | None


def mean_interval(values: Sequence[float], *, least: float = 0.0, most: float = 1.0) -> Estimate:
    """Return the mean of some scores with its bootstrap interval (Efron 1979, percentiles).

    Where all are equal nothing varies, and the bootstrap would be sure of three
    answers; the interval of Wilson (1927), stretched over least..most, is taken
    there instead. It also bounds what is only right or wrong: with 19 of 20 right
    the bootstrap alone would promise more than Wilson does with 20 of 20. Raises
    ValueError for no values.
    """
    if not values:
        raise ValueError("There is nothing to take a mean of.")
    kinds, counts = _counted(values)
    n, mean = len(values), sum(values) / len(values)
    if len(kinds) == 1:
        low, high = _certain(mean, n, least, most)
    else:
        # As drawing n of them again and again: only how many of each are drawn counts.
        # In pieces, since thousands of kinds at once take hundreds of megabytes.
        generator, means = np.random.default_rng(SEED), []
        for _ in range(SAMPLES // AT_ONCE):
            means.append(generator.multinomial(n, counts / n, size=AT_ONCE) @ kinds / n)
        low, high = (float(each) for each in np.percentile(np.concatenate(means), [LOW, HIGH]))
        if set(kinds) == {least, most}:
            sure = _certain(mean, n, least, most)
            low, high = min(low, sure[0]), max(high, sure[1])
    return Estimate(
        round(mean, DIGITS), round(min(low, mean), DIGITS), round(max(high, mean), DIGITS)
    )


def paired_difference(ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
    """Return how much higher `ours` is, case by case, with its interval, -1 to 1.

    Pairs are drawn, not answers, so what makes a case hard for both cancels
    out. Of answers that are only right or wrong the interval holds 0 as long as
    chance alone would make wins and losses as uneven in 5 of 100 (McNemar 1947):
    where few differ, the bootstrap is sure too soon. Raises ValueError for no
    pairs, or lists of different lengths.
    """
    apart = [one - other for one, other in zip(ours, theirs, strict=True)]
    found = mean_interval(apart, least=-1.0, most=1.0)
    wins, losses = apart.count(1.0), apart.count(-1.0)
    if wins + losses + apart.count(0.0) == len(apart) and _may_be_chance(wins, losses):
        return Estimate(found.mean, min(found.low, 0.0), max(found.high, 0.0))
    return found


def agreement(ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> Agreement:
    """Return how far two judges of the same things agree (Cohen 1960)."""
    n = len(ours)
    same = sum(one == other for one, other in zip(ours, theirs, strict=True))
    if not n:
        return Agreement(0, None, None)
    first, second = Counter(ours), Counter(theirs)
    by_chance = sum(first[kind] * second[kind] for kind in first) / n**2
    kappa = None if by_chance >= 1 else round((same / n - by_chance) / (1 - by_chance), DIGITS)
    return Agreement(n, round(same / n, DIGITS), kappa)


def _counted(values: Sequence[float]) -> tuple["np.ndarray", "np.ndarray"]:
    kinds, counts = np.unique(np.round(np.asarray(values, dtype=float), DIGITS), return_counts=True)
    return kinds, counts


def _may_be_chance(wins: int, losses: int) -> bool:
    """Whether chance alone would make wins and losses as uneven as this in 5 of 100."""
    return (wins - losses) ** 2 <= Z_95**2 * (wins + losses)


def _certain(mean: float, n: int, least: float, most: float) -> tuple[float, float]:
    share = (mean - least) / (most - least)
    middle = (share + Z_95**2 / (2 * n)) / (1 + Z_95**2 / n)
    reach = Z_95 / (1 + Z_95**2 / n)
    reach *= (share * (1 - share) / n + Z_95**2 / (4 * n**2)) ** 0.5
    low, high = max(0.0, middle - reach), min(1.0, middle + reach)
    return least + low * (most - least), least + high * (most - least)
