"""The result file of a job: OpenAI's table of what was measured, a row a step."""

import csv
import io
from collections.abc import Iterable
from typing import Any

_COLUMNS = {
    "step": "step",
    "train_loss": "train_loss",
    "train_accuracy": "train_mean_token_accuracy",
    "valid_loss": "valid_loss",
    "valid_mean_token_accuracy": "valid_mean_token_accuracy",
}


def results_csv(metrics: Iterable[dict[str, Any]]) -> bytes:
    """Return the table as CSV, with empty cells for what is not known."""
    by_step = {row["step"]: row for row in metrics}  # the evaluation repeats the last step
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in by_step.values():
        values = [row.get(source) for source in _COLUMNS.values()]
        writer.writerow(["" if value is None else value for value in values])
    return text.getvalue().encode()
