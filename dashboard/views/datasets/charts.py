"""Small charts as geometry, drawn by the templates as SVG: no script, no inline style."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

HEIGHT = 40.0
WIDTH = 100.0
GAP = 0.12
SHOWN_BARS = 12


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a histogram, in units of a 100 x 40 box whose y grows downwards."""

    x: float
    y: float
    width: float
    height: float
    low: int
    high: int
    n: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One of several counts beside each other. share: of their sum, 0 to 100."""

    name: str
    n: int
    share: float


def histogram(buckets: Sequence[Sequence[int]]) -> list[Column]:
    """Columns of equal width for [low, high, n] buckets; what has rows is at least visible."""
    most = max((n for _, _, n in buckets), default=0)
    if not most:
        return []
    step = WIDTH / len(buckets)
    columns = []
    for index, (low, high, n) in enumerate(buckets):
        height = max(0.6, HEIGHT * n / most) if n else 0.0
        columns.append(
            Column(
                x=round(index * step + step * GAP / 2, 3),
                y=round(HEIGHT - height, 3),
                width=round(step * (1 - GAP), 3),
                height=round(height, 3),
                low=low,
                high=high,
                n=n,
            )
        )
    return columns


def bars(counts: Mapping[str, int]) -> list[Bar]:
    """The largest counts, with the share that each has of all."""
    total = sum(counts.values())
    largest = sorted(counts.items(), key=lambda item: -item[1])[:SHOWN_BARS]
    return [Bar(name, n, round(100 * n / total, 1) if total else 0.0) for name, n in largest]
