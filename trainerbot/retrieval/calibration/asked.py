"""The questions on which recall is fitted, or measured: corrections, and what people ask."""

from pathlib import Path
from typing import Final, NamedTuple

QUESTIONS: Final = Path(__file__).parent / "questions"
"""Our own set, which recall is fitted on. The tests measure with another one."""


class Known(NamedTuple):
    """A correction: the question that it is about."""

    question: str


class Asked(NamedTuple):
    """What somebody asks, and the correction (by its place) that answers it; None if none does.

    kind: ordinary, hard, near (same words about another thing), unrelated, twin;
    the first three with a language. group: of questions made from one line.
    """

    text: str
    right: int | None
    kind: str
    group: int


def load(folder: Path = QUESTIONS) -> tuple[list[Known], list[Asked]]:
    """Read the four files of a set: *_en.psv, *_ru.psv, twins.psv and unrelated.txt."""
    known: list[Known] = []
    asked: list[Asked] = []
    for language in ("en", "ru"):
        (path,) = folder.glob(f"*_{language}.psv")
        for question, ordinary, hard, near in _rows(path):
            at = len(known)
            known.append(Known(question))
            asked += [
                Asked(ordinary, at, f"ordinary {language}", at),
                Asked(hard, at, f"hard {language}", at),
                Asked(near, None, f"near {language}", at),
            ]
    for _, question, other in _rows(folder / "twins.psv"):
        known.append(Known(question))
        asked.append(Asked(other, None, "twin", len(known)))
    lines = (folder / "unrelated.txt").read_text(encoding="utf-8").splitlines()
    asked += [Asked(line, None, "unrelated", n) for n, line in enumerate(lines)]
    return known, asked


def _rows(path: Path) -> list[list[str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.split("|")] for line in lines if line[:1] != "#"]
