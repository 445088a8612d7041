"""What a test came to, as it is said: in one message, or with a file for what does not fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botrunner.progress import Page, Said
from botrunner.quoting import in_a_line
from botrunner.replies import MAX_CHARACTERS, width

if TYPE_CHECKING:
    from dashboard.models import Evaluation, Prediction
    from dashboard.services.evaluations import Trial

UNKNOWN: Final = "unknown"
SHOWN_NAMES: Final = 10
MAX_SHOWN_NAME: Final = 60
FILENAME: Final = "predictions.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One text and what the model took it for. expected: None where nobody said what is right."""

    name: str
    text: str
    expected: str | None
    predicted: str | None
    answer: str
    error: str

    @property
    def is_right(self) -> bool | None:
        return None if self.expected is None else self.expected == self.predicted


@dataclass(frozen=True, slots=True)
class Report:
    """A whole test. n_rows: how many texts there were, if not all are in `rows`."""

    model: str
    labels: Sequence[str]
    rows: Sequence[Row]
    scores: dict[str, Any] | None
    n_rows: int
    is_constrained: bool = True
    note: str = ""


def of_trial(trial: Trial) -> Report:
    rows = [
        Row(each.name, each.text, each.expected, each.predicted, each.answer, each.error)
        for each in trial.records
    ]
    return Report(
        model=trial.model,
        labels=trial.labels,
        rows=rows,
        scores=trial.scores,
        n_rows=len(rows),
        is_constrained=trial.is_constrained,
    )


def of_evaluation(evaluation: Evaluation, predictions: Sequence[Prediction]) -> Report:
    rows = [
        Row(
            each.name,
            each.text,
            each.expected,
            each.predicted or None,
            each.answer,
            each.error,
        )
        for each in predictions
    ]
    return Report(
        model=evaluation.model,
        labels=evaluation.labels,
        rows=rows,
        scores=evaluation.scores,
        n_rows=evaluation.n_done,
        is_constrained=evaluation.is_constrained,
        note=f"Test {evaluation.pk} on {in_a_line(str(evaluation.version))}, also on the dashboard.",
    )


def said(report: Report, *, max_bytes: int) -> Said:
    """The words about a test; every prediction stands in them or in a file beside them."""
    head = "Test complete. Predictions: "
    all_of_them = ", ".join(in_a_line(row.predicted or UNKNOWN) for row in report.rows)
    lines = [_line(row) for row in report.rows]
    foot = _foot(report)
    whole = "\n".join([head + all_of_them, *lines, *foot])
    if len(report.rows) == report.n_rows and width(whole) <= MAX_CHARACTERS:
        return Said(whole)
    brief = "\n".join([head + _counts(report), *foot])
    return Said(brief, [Page(FILENAME, as_json(report, max_bytes=max_bytes))])


def as_json(report: Report, *, max_bytes: int) -> bytes:
    """Every prediction as a JSON array; without the texts, and then cut, if it were too large."""
    for leave_out in ((), ("text", "answer")):
        written = _dump(report.rows, leave_out)
        if len(written) <= max_bytes:
            return written
    n_fitting = max(1, len(report.rows) * max_bytes // (2 * len(written)))
    return _dump(report.rows[:n_fitting], ("text", "answer"))


def _dump(rows: Sequence[Row], leave_out: Sequence[str]) -> bytes:
    found = [
        {
            key: value
            for key, value in {
                "name": row.name,
                "text": row.text,
                "label": row.expected,
                "prediction": row.predicted,
                "right": row.is_right,
                "answer": row.answer,
                "error": row.error or None,
            }.items()
            if key not in leave_out
        }
        for row in rows
    ]
    return json.dumps(found, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _line(row: Row) -> str:
    mark = {True: "✅", False: "❌", None: "▫️"}[row.is_right]
    wrong = f", expected {in_a_line(row.expected or '')}" if row.is_right is False else ""
    return f"{mark} {_name(row)}: {in_a_line(row.predicted or UNKNOWN)}{wrong}"


def _foot(report: Report) -> list[str]:
    wrong = [row for row in report.rows if row.is_right is False]
    lines = []
    if report.scores is not None:
        names = ", ".join(_name(row) for row in wrong[:SHOWN_NAMES])
        more = f" and {len(wrong) - SHOWN_NAMES:,} more" if len(wrong) > SHOWN_NAMES else ""
        lines.append(f"Mismatches: {names or 'none'}{more}")
        lines.append(_accuracy(report.scores))
    if not report.is_constrained:
        lines.append("The endpoint does not bind a model to labels, so its words were matched.")
    named = ", ".join(in_a_line(label) for label in report.labels[:SHOWN_NAMES])
    lines.append(f"-# {in_a_line(report.model)}, choosing among {named}. {report.note}".rstrip())
    return lines


def _accuracy(scores: dict[str, Any]) -> str:
    n, (low, high) = scores["n"], scores["interval"]
    n_right = round(scores["accuracy"] * n)
    return (
        f"Accuracy {scores['accuracy']:.1%} ({n_right:,} of {n:,}), "
        f"{low:.1%} to {high:.1%} with 95 % confidence"
    )


def _counts(report: Report) -> str:
    counts: dict[str, int] = {}
    for row in report.rows:
        label = row.predicted or UNKNOWN
        counts[label] = counts.get(label, 0) + 1
    fullest = sorted(counts.items(), key=lambda each: -each[1])
    shown = ", ".join(f"{n:,} × {in_a_line(label)}" for label, n in fullest[:SHOWN_NAMES])
    if len(report.rows) < report.n_rows:
        return f"{shown} among the first {len(report.rows):,} of {report.n_rows:,}"
    return shown


def _name(row: Row) -> str:
    return in_a_line(row.name, MAX_SHOWN_NAME)
