"""Examples that are much shorter or longer than the others."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FENCE: Final = 1.5
LEAST_SPREAD: Final = math.log(2)
MIN_EXAMPLES: Final = 8


@dataclass(frozen=True, slots=True)
class Outliers:
    """Indexes of lengths below `low` and above `high`, in the order given."""

    short: list[int]
    long: list[int]
    low: int
    high: int


def outliers(lengths: Sequence[int]) -> Outliers:
    """Return which lengths stand out, in tokens, characters or whatever they count.

    Tukey's fences on the logarithm: outside the quartiles by more than 1.5
    times their distance. Lengths of texts spread by factors, so that on a plain
    scale every set would have long outliers and none short ones. Quartiles,
    unlike mean and deviation, are not moved by the very outliers. Their
    distance counts as a factor of 2 at least, so that nothing within 2.8 times
    the middle half stands out of an even set. Of fewer than 8 lengths none does.
    """
    if len(lengths) < MIN_EXAMPLES:
        return Outliers([], [], min(lengths, default=0), max(lengths, default=0))
    logs = [math.log1p(length) for length in lengths]
    first, _, third = statistics.quantiles(logs, n=4, method="inclusive")
    reach = FENCE * max(third - first, LEAST_SPREAD)
    low = max(0, math.ceil(math.expm1(first - reach)))
    high = math.floor(math.expm1(third + reach))
    return Outliers(
        short=[at for at, length in enumerate(lengths) if length < low],
        long=[at for at, length in enumerate(lengths) if length > high],
        low=low,
        high=high,
    )
