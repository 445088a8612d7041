"""Counting problems and examples while a file is read, up to the report about it."""

from typing import Final

from trainerbot.formats.report import Problem, Report, of_file
from trainerbot.formats.tokens.histogram import TokenReport

MAX_REPORTED: Final = 1000
"""Problems that a report keeps; it counts the rest."""


class Tally:
    """What is known so far about one file."""

    def __init__(self) -> None:
        self.n_examples = 0
        self._kept: list[Problem] = []
        self._n_problems = 0
        self._n_errors = 0
        self._first_error: Problem | None = None

    def add(self, problem: Problem) -> None:
        """Take one more problem, the next in the file's order."""
        self._n_problems += 1
        if problem.severity == "error":
            self._n_errors += 1
            self._first_error = self._first_error or problem
        if len(self._kept) < MAX_REPORTED:
            self._kept.append(problem)

    def report(
        self,
        *,
        n_bytes: int,
        sha256: str = "",
        min_examples: int = 0,
        tokens: TokenReport | None = None,
    ) -> Report:
        """Return the sum, with an error more when there are fewer examples than `min_examples`."""
        # While rows or the file are at fault, their number says nothing.
        if self.n_examples < min_examples and not self._n_errors:
            few = _too_few(self.n_examples, min_examples)
            del self._kept[MAX_REPORTED - 1 :]
            self.add(few)
        return Report(
            n_examples=self.n_examples,
            n_bytes=n_bytes,
            sha256=sha256,
            problems=tuple(self._kept),
            n_problems=self._n_problems,
            n_errors=self._n_errors,
            first_error=self._first_error,
            tokens=tokens,
        )


def refused(problem: Problem, *, n_bytes: int) -> Report:
    """Return the report about a file that was not read."""
    tally = Tally()
    tally.add(problem)
    return tally.report(n_bytes=n_bytes)


def too_large(n_bytes: int, max_bytes: int) -> Problem:
    """Return what is said of a file that is over the limit."""
    return of_file(
        "file_too_large",
        f"This file has {n_bytes / 2**20:,.1f} MiB, over the limit of {max_bytes / 2**20:,.1f} MiB. "
        "Split it.",
    )


def _too_few(n_examples: int, min_examples: int) -> Problem:
    return of_file(
        "invalid_n_examples",
        f"Training file has {n_examples} example(s), but must have at least "
        f"{min_examples} examples",
    )
