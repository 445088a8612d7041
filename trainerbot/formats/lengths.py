"""How long examples are in tokens, and which of them a target would cut off."""

from collections.abc import Sequence
from typing import Any

from trainerbot.errors import TrainerBotError
from trainerbot.formats.jsonl import MAX_LINE_BYTES
from trainerbot.formats.report import Problem
from trainerbot.formats.rows import Kind, Row
from trainerbot.formats.targets import Target
from trainerbot.formats.tokens import TokenCounter, counter
from trainerbot.formats.tokens.histogram import Histogram, TokenReport


class Lengths:
    """The lengths of one file's examples, as far as anybody needs them."""

    def __init__(self, target: Target, *, count_all: bool) -> None:
        """Raises TrainerBotError when all are to be counted and what counts is not installed."""
        self._target = target
        self._histogram = Histogram() if count_all else None
        self._counter: TokenCounter | None = counter(target.encoding) if count_all else None
        self._reason = ""

    @property
    def short_bytes(self) -> int:
        """An example of no more bytes of JSON than this is never cut off.

        No token has less than a byte, and what a chat template adds to a
        message is less than the quotes, keys and braces around it.
        """
        return self._target.context_tokens or MAX_LINE_BYTES

    def of_long_row(self, line: int, record: dict[str, Any]) -> Problem | None:
        """Return a warning when one chat row of many bytes has too many tokens.

        What counts them is loaded at the first such row. When it is not there,
        `uncounted` says so at the end.
        """
        if self._counter is None and not self._reason:
            try:
                self._counter = counter(self._target.encoding)
            except TrainerBotError as error:
                self._reason = str(error)
        if self._counter is None:
            return None
        (n_tokens,) = self._counter.count([record], Kind.CHAT)
        return self._judge(line, n_tokens)

    def of_rows(self, rows: Sequence[Row]) -> list[Problem | None]:
        """Count the rows' tokens when all are to be counted; a warning for each that is cut off."""
        if self._histogram is None or self._counter is None or not rows:
            return [None] * len(rows)
        kinds = {row.kind for row in rows}
        counts = dict[int, int]()
        for kind in kinds:
            places = [place for place, row in enumerate(rows) if row.kind is kind]
            found = self._counter.count([rows[place].record for place in places], kind)
            counts.update(zip(places, found, strict=True))
        self._histogram.add(counts.values())
        return [self._judge(row.line, counts[place]) for place, row in enumerate(rows)]

    def uncounted(self) -> Problem | None:
        """Return a warning when rows were too long to be sure of, and nothing could count them."""
        if not self._reason:
            return None
        text = f"Some examples may be too long for {self._target.title}. {self._reason}"
        return Problem(0, "tokens_not_counted", text, severity="warning")

    def report(self) -> TokenReport | None:
        """Return the sum of all counts; None unless all were to be counted."""
        if self._histogram is None:
            return None
        target = self._target
        return self._histogram.report(
            encoding=target.encoding, context_tokens=target.context_tokens
        )

    def _judge(self, line: int, n_tokens: int) -> Problem | None:
        limit = self._target.context_tokens
        if limit is None or n_tokens <= limit:
            return None
        text = (
            f"Line {line}: this example has {n_tokens:,} tokens; {self._target.title} reads "
            f"{limit:,} and cuts off the end."
        )
        return Problem(line, "example_truncated", text, severity="warning")
