"""Problems of a data file, as commands print them."""

from collections.abc import Sequence
from typing import Any

from django.core.management.base import OutputWrapper

from trainerbot.formats import Problem

SHOWN = 20


def as_row(problem: Problem) -> dict[str, Any]:
    return {
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
    }


def report_problems(out: OutputWrapper, problems: Sequence[Problem]) -> None:
    """The first twenty, a line each, and how many more there are. Each names its place itself."""
    for problem in problems[:SHOWN]:
        out.write(f"{problem.severity}: {problem.message}")
    if len(problems) > SHOWN:
        out.write(f"... and {len(problems) - SHOWN:,} more")
