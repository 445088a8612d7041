"""Questions that nothing was fitted on: what must be recalled, and what must not."""

from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Line(NamedTuple):
    """A corrected question, two ways to ask it, and the same words about another thing."""

    question: str
    ordinary: str
    hard: str
    near: str


def lines(language: str) -> list[Line]:
    return [Line(*cells) for cells in _rows(f"pairs_{language}.psv")]


def twins() -> list[tuple[str, str]]:
    """Questions that differ in a number, a date, a name or a denial alone."""
    return [(a, b) for _, a, b in _rows("twins.psv")]


def unrelated() -> list[str]:
    return (HERE / "unrelated.txt").read_text(encoding="utf-8").splitlines()


def _rows(name: str) -> list[list[str]]:
    text = (HERE / name).read_text(encoding="utf-8")
    return [
        [cell.strip() for cell in line.split("|")]
        for line in text.splitlines()
        if not line.startswith("#")
    ]
