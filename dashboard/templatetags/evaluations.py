"""How the scores of a test look: the confusion matrix as cells."""

from dataclasses import dataclass
from typing import Any

from django import template

register = template.Library()

# Beyond this a matrix is a carpet; its fullest wrong cells say more.
MAX_LABELS = 20
SHOWN_CONFUSIONS = 20
# How dark a cell is, by its share of its row: diagonal and other cells.
RIGHT = ("", "bg-success/10", "bg-success/20", "bg-success/30", "bg-success/40")
WRONG = ("", "bg-error/10", "bg-error/20", "bg-error/30", "bg-error/40")


@dataclass(frozen=True, slots=True)
class Cell:
    """How often a text of `expected` was taken for `predicted` ("" for none of the labels)."""

    expected: str
    predicted: str
    n: int
    shade: str


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Matrix:
    """rows: all of it, or none where it is too large; confusions: the fullest wrong cells."""

    columns: list[str]
    rows: list[Row]
    confusions: list[Cell]


@register.filter
def matrix(scores: dict[str, Any] | None) -> Matrix | None:
    """The confusion matrix of stored scores, or None before there are any."""
    if not scores:
        return None
    labels = [each["label"] for each in scores["labels"]]
    columns = [*labels, ""]
    rows = [
        Row(
            label,
            [
                _cell(label, column, n, sum(counts))
                for column, n in zip(columns, counts, strict=True)
            ],
        )
        for label, counts in zip(labels, scores["confusion"], strict=True)
    ]
    wrong = [
        cell for row in rows for cell in row.cells if cell.n and cell.expected != cell.predicted
    ]
    wrong.sort(key=lambda cell: (-cell.n, cell.expected, cell.predicted))
    is_small = len(labels) <= MAX_LABELS
    return Matrix(columns, rows if is_small else [], wrong[:SHOWN_CONFUSIONS])


def _cell(expected: str, predicted: str, n: int, of: int) -> Cell:
    shades = RIGHT if expected == predicted else WRONG
    step = -(-n * (len(shades) - 1) // of) if of else 0
    return Cell(expected, predicted, n, shades[step])
