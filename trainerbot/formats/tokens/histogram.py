"""How many tokens examples have, summed up: a chart, the total, what training will be billed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

# The cookbook's rule for n_epochs="auto" (Chat_finetuning_data_prep, MIT).
TARGET_EPOCHS: Final = 3
MIN_TARGET_EXAMPLES: Final = 100
MAX_TARGET_EXAMPLES: Final = 25_000
MAX_DEFAULT_EPOCHS: Final = 25

FIRST_EDGE: Final = 16
"""Where the second bucket of a histogram begins; each later one is twice as wide."""


class Bucket(NamedTuple):
    """How many examples have from `low` to `high` tokens, both included."""

    low: int
    high: int
    n_examples: int


@dataclass(frozen=True, slots=True)
class TokenReport:
    """The tokens of a file's usable examples.

    `encoding` names what counted them. `total` counts every token,
    `kept` those that training sees: an example gives at most
    `context_tokens`. `n_counted` and `n_truncated` count examples.
    `shortest`, `median`, `p95` and `longest` are tokens of an example, 0 for
    an empty file. `buckets` follow each other without a gap.
    """

    encoding: str
    context_tokens: int | None
    n_counted: int
    n_truncated: int
    total: int
    kept: int
    shortest: int
    median: int
    p95: int
    longest: int
    buckets: tuple[Bucket, ...]

    @property
    def n_epochs(self) -> int:
        """Passes over the file that OpenAI makes when nobody says how many."""
        return estimate_epochs(self.n_counted)

    def billed_tokens(self, *, n_epochs: int | None = None) -> int:
        """Return how many tokens a training is billed for; `n_epochs` defaults to OpenAI's rule."""
        return self.kept * (self.n_epochs if n_epochs is None else n_epochs)

    def price(self, *, per_million_tokens: float, n_epochs: int | None = None) -> float:
        """Return what that costs, in the currency of `per_million_tokens`."""
        return self.billed_tokens(n_epochs=n_epochs) * per_million_tokens / 1_000_000


class Histogram:
    """Counts as they come; memory grows with the number of different counts only."""

    def __init__(self) -> None:
        self._n_examples: Counter[int] = Counter()

    def add(self, counts: Iterable[int] | Mapping[int, int]) -> None:
        """Take the token counts of more examples, one by one or as {count: how many have it}."""
        self._n_examples.update(counts)

    def report(self, *, encoding: str, context_tokens: int | None) -> TokenReport:
        """Return all that was added, summed up for a model that reads `context_tokens`."""
        by_count = sorted(self._n_examples.items())
        n_counted = self._n_examples.total()
        limit = context_tokens if context_tokens is not None else by_count[-1][0] if by_count else 0
        return TokenReport(
            encoding=encoding,
            context_tokens=context_tokens,
            n_counted=n_counted,
            n_truncated=sum(n for count, n in by_count if count > limit),
            total=sum(count * n for count, n in by_count),
            kept=sum(min(count, limit) * n for count, n in by_count),
            shortest=_at(by_count, 1),
            median=_at(by_count, (n_counted + 1) // 2),
            p95=_at(by_count, -(-n_counted * 95 // 100)),
            longest=_at(by_count, n_counted),
            buckets=_buckets(by_count),
        )


def estimate_epochs(n_examples: int) -> int:
    """Return how often OpenAI trains over `n_examples` when n_epochs is "auto".

    Three times, but so that 100 to 25,000 examples are seen in all, at most
    25 times and at least once. 0 examples are never trained on.
    """
    if n_examples <= 0:
        return 0
    if n_examples * TARGET_EPOCHS < MIN_TARGET_EXAMPLES:
        return min(MAX_DEFAULT_EPOCHS, MIN_TARGET_EXAMPLES // n_examples)
    if n_examples * TARGET_EPOCHS > MAX_TARGET_EXAMPLES:
        return max(1, MAX_TARGET_EXAMPLES // n_examples)
    return TARGET_EPOCHS


def _at(by_count: list[tuple[int, int]], rank: int) -> int:
    """Return the count of the example at `rank`, from 1, when the shortest comes first."""
    for count, n_examples in by_count:
        rank -= n_examples
        if rank <= 0:
            return count
    return 0


def _buckets(by_count: list[tuple[int, int]]) -> tuple[Bucket, ...]:
    """Return the buckets from the shortest example to the longest: 0 to 15, 16 to 31, 32 to 63."""
    buckets: list[Bucket] = []
    low, edge = 0, FIRST_EDGE
    waiting = list(reversed(by_count))
    while waiting:
        n_examples = 0
        while waiting and waiting[-1][0] < edge:
            n_examples += waiting.pop()[1]
        if n_examples or buckets:
            buckets.append(Bucket(low, edge - 1, n_examples))
        low, edge = edge, edge * 2
    return tuple(buckets)
