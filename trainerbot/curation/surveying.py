"""What a file would bring, told before it is imported: its cost, its duplicates, what is private."""

import math
import random
from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from trainerbot.curation.near import near_duplicates
from trainerbot.curation.private import find_private
from trainerbot.curation.texts import fingerprint, text_of, wording_of
from trainerbot.formats.report import Problem
from trainerbot.formats.rows import Kind, Row
from trainerbot.formats.tokens import Histogram, TokenCounter, TokenReport

MAX_ROWS: Final = 50_000
MAX_BYTES: Final = 32 * 2**20
"""Rows and bytes of a file that are looked at closely; of a larger one a sample is."""

MAX_COMPARED: Final = 2_000_000
"""Rows that are compared word for word: 16 MB."""

BATCH: Final = 512
BATCH_CHARACTERS: Final = 2_000_000

_SEED: Final = 1

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found in a file of `n_rows` usable rows.

    Exact duplicates are counted among the first `n_compared`, which is all of
    them but for the largest files. Tokens, near duplicates and private data
    are those of the `n_looked_at` rows: all of a small file, a sample spread
    over a large one. `private_kinds` counts rows, a row once for each kind.
    """

    n_rows: int
    n_looked_at: int
    n_compared: int
    n_exact: int
    n_near: int
    n_private: int
    private_kinds: dict[str, int]
    tokens: TokenReport

    @property
    def is_sample(self) -> bool:
        return self.n_looked_at < self.n_rows

    @property
    def n_tokens(self) -> int:
        """The tokens of the whole file: counted, or reckoned from the sample."""
        if not self.n_looked_at:
            return 0
        return round(self.tokens.total * self.n_rows / self.n_looked_at)


def survey(
    rows: Iterable[Row | Problem],
    *,
    n_rows: int,
    n_bytes: int,
    count: TokenCounter,
    progress: Progress | None = None,
    max_rows: int = MAX_ROWS,
) -> Survey:
    """Return what the usable ones of `rows` would bring.

    n_rows, n_bytes: what the check counted; they say how many rows are left
    out between two that are looked at. The sample is the same each time.
    Memory is bounded whatever the file holds. progress(share) is called now
    and then and may raise to stop.
    """
    share = min(1.0, max_rows / max(n_rows, 1), MAX_BYTES / max(n_bytes, 1))
    step = math.ceil(1 / share)
    # Each sample row is drawn from its own stretch of the file, so that no
    # rhythm of the file (every second row a German one) can hide from it.
    draw = random.Random(_SEED)
    looked_at = _LookedAt(count)
    digests = array("q")
    n_usable, wanted = 0, draw.randrange(step)
    for row in rows:
        if not isinstance(row, Row):
            continue
        if len(digests) < MAX_COMPARED:
            digests.append(fingerprint(row.record, row.kind))
        if n_usable == wanted:
            looked_at.take(n_usable, row)
        n_usable += 1
        if n_usable % step == 0:
            wanted = n_usable + draw.randrange(step)
        if progress is not None and n_usable % BATCH == 0:
            progress(0.8 * min(n_usable / max(n_rows, 1), 1.0))
    looked_at.flush()
    n_near = looked_at.n_near(lambda n: None if progress is None else progress(0.9))
    return Survey(
        n_rows=n_usable,
        n_looked_at=looked_at.n_rows,
        n_compared=len(digests),
        n_exact=_repeated(digests),
        n_near=n_near,
        n_private=looked_at.n_private,
        private_kinds=dict(looked_at.kinds.most_common()),
        tokens=looked_at.histogram.report(encoding=count.name, context_tokens=None),
    )


class _LookedAt:
    """The rows of the sample, counted a batch at a time."""

    def __init__(self, count: TokenCounter) -> None:
        self.n_rows = 0
        self.n_private = 0
        self.kinds: Counter[str] = Counter()
        self.histogram = Histogram()
        self._count = count
        self._waiting: dict[Kind, list[dict[str, Any]]] = {}
        self._n_waiting = self._n_characters = self._n_characters_in_all = 0
        self._wordings: dict[int, tuple[int, str]] = {}

    def take(self, index: int, row: Row) -> None:
        text = text_of(row.record, row.kind)
        # A packed file is larger than its bytes say.
        if self._n_characters_in_all > 2 * MAX_BYTES:
            return
        self.n_rows += 1
        if found := find_private(text):
            self.n_private += 1
            self.kinds.update({str(each.kind) for each in found})
        self._wordings.setdefault(
            fingerprint(row.record, row.kind), (index, wording_of(row.record, row.kind))
        )
        self._waiting.setdefault(row.kind, []).append(row.record)
        self._n_waiting += 1
        self._n_characters += len(text)
        self._n_characters_in_all += len(text)
        if self._n_waiting >= BATCH or self._n_characters >= BATCH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        for kind, records in self._waiting.items():
            self.histogram.add(self._count.count(records, kind))
        self._waiting.clear()
        self._n_waiting = self._n_characters = 0

    def n_near(self, progress: Callable[[int], None]) -> int:
        """How many rows of the sample nearly repeat an earlier one of it."""
        return len(near_duplicates(self._wordings.values(), progress=progress))


def _repeated(digests: "array[int]") -> int:
    """How many rows repeat an earlier one word for word."""
    import numpy as np  # only here: commands that survey nothing need not wait for it

    numbers = np.frombuffer(digests, dtype=np.int64) if digests else np.empty(0, np.int64)
    return len(numbers) - len(np.unique(numbers))
