"""What is wrong with a training file: one problem a line, and the sum of them."""

from dataclasses import dataclass
from typing import Final, Literal

from trainerbot.formats.tokens.histogram import TokenReport

Severity = Literal["error", "warning"]

MAX_PROBLEMS_A_ROW: Final = 20
"""Complaints about one row; a row with so many is another format altogether."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One complaint about one line of a file.

    `line` counts from 1; 0 means the file as a whole. `column` counts
    characters from 1, or bytes where the line is not UTF-8. `code` is OpenAI's
    where it has one (its cookbook's names for rows, its API's for files).
    `message` is a whole sentence for a person and names the line itself.
    An error keeps the row out; a warning lets it in. `place` names the file
    inside a folder or archive, and is empty elsewhere. `key` is the key at
    fault, as in `messages[0].role`, where it is one.
    """

    line: int
    code: str
    message: str
    severity: Severity = "error"
    column: int | None = None
    place: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What one reading of a whole file found.

    `n_examples` counts the rows without an error. `problems` holds the first
    1,000; `n_problems` and `n_errors` count them all. `sha256` is of the bytes
    as they lie, hexadecimal; empty when nobody asked for it and when the file
    was not read. `tokens` is None when nobody asked for counts.
    """

    n_examples: int
    n_bytes: int
    sha256: str
    problems: tuple[Problem, ...]
    n_problems: int
    n_errors: int
    first_error: Problem | None
    tokens: TokenReport | None = None

    @property
    def ok(self) -> bool:
        """Whether a job may train on this file: it has no error, warnings or not."""
        return self.n_errors == 0

    @property
    def n_warnings(self) -> int:
        """How much is odd, and taken all the same."""
        return self.n_problems - self.n_errors


def clipped(problems: list[Problem]) -> list[Problem]:
    """Return the problems of one row, or the first MAX_PROBLEMS_A_ROW of them.

    The errors are what must be mended, so they come first where not all do.
    """
    if len(problems) <= MAX_PROBLEMS_A_ROW:
        return problems
    return sorted(problems, key=lambda each: each.severity == "warning")[:MAX_PROBLEMS_A_ROW]


def of_key(line: int, key: str, code: str, text: str) -> Problem:
    """Return an error about one key of a row, in OpenAI's own wording."""
    message = f'Invalid file format. Line {line}, key "{key}": {text}'
    return Problem(line, code, message, key=key)


def of_line(line: int, code: str, text: str, *, column: int | None = None) -> Problem:
    """Return an error about a whole line, or one place in it."""
    place = f"Line {line}" if column is None else f"Line {line}, column {column}"
    return Problem(line, code, f"Invalid file format. {place}: {text}", column=column)


def of_file(code: str, text: str) -> Problem:
    """Return an error about the file as a whole."""
    return Problem(0, code, text)


def warning(line: int, key: str, code: str, text: str) -> Problem:
    """Return a warning about one key of a row that is used all the same."""
    message = f'Line {line}, key "{key}": {text}'
    return Problem(line, code, message, severity="warning", key=key)
