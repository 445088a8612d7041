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
    """Errors, then warnings: the first twenty of each, a line each, and how many more there are.

    Each names its line itself; the column stands behind it where there is one.
    """
    for severity in ("error", "warning"):
        apart = [problem for problem in problems if problem.severity == severity]
        for problem in apart[:SHOWN]:
            column = f" (column {problem.column})" if problem.column and problem.key else ""
            out.write(f"{severity}: {problem.message}{column}")
        if len(apart) > SHOWN:
            out.write(f"... and {len(apart) - SHOWN:,} more {severity}s")
