"""What a test came to: scores, kept with it, and its answers as pages."""

from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction

from dashboard.models import Evaluation, Prediction
from dashboard.services import paging
from dashboard.services.evaluations.news import announce
from trainerbot.curation import scores
from trainerbot.errors import InvalidInput

PAGE: Final = 20


def settle(evaluation: Evaluation, *, error: str = "") -> None:
    """Score what has been answered so far, and tell open pages; `error` says why it ended."""
    evaluation.error = error
    evaluation.scores = None
    if evaluation.n_done:
        rows = evaluation.predictions.order_by("position").values_list("expected", "predicted")
        pairs = list(rows.iterator())
        evaluation.scores = score(
            [expected for expected, _ in pairs],
            [predicted for _, predicted in pairs],
            evaluation.labels,
        )
    with transaction.atomic():
        evaluation.save(update_fields=["scores", "error"])
        announce(evaluation)


def score(expected: list[str], predicted: list[str], labels: Iterable[str]) -> dict[str, Any]:
    """Return scores as they are stored and as `--json` gives them; shares are from 0 to 1.

    accuracy: share of right answers. interval: its 95 % interval, [low, high].
    macro_f1: mean of the labels' F1. labels: for each precision, recall, f1 and
    n, how many texts have it. confusion: a row of counts for each label as
    expected; its columns are the labels as predicted, then those answers that
    are none of them, which stand in `predicted` as "".
    """
    found = scores(expected, predicted, list(labels))
    return {
        "n": found.n_rows,
        "accuracy": found.accuracy,
        "interval": [found.accuracy_low, found.accuracy_high],
        "macro_f1": found.macro_f1,
        "labels": [
            {
                "label": each.label,
                "precision": each.precision,
                "recall": each.recall,
                "f1": each.f1,
                "n": each.support,
            }
            for each in found.by_label
        ],
        "confusion": [list(row) for row in found.confusion],
    }


def predictions(
    evaluation: Evaluation,
    *,
    show: str = "wrong",
    expected: str | None = None,
    predicted: str | None = None,
    after: str = "",
    before: str = "",
    size: int = PAGE,
) -> paging.Page[Prediction]:
    """One page of answers, in the order of the data.

    show: wrong, unknown, right or all. expected, predicted: one cell of the
    confusion matrix, whatever `show` says; `predicted=""` are the unknown.
    Raises InvalidInput for a damaged page address.
    """
    rows = Prediction.objects.filter(evaluation=evaluation).select_related("example")
    if expected is not None and predicted is not None:
        rows = rows.filter(expected=expected, predicted=predicted)
    elif show == "wrong":
        rows = rows.filter(is_right=False)
    elif show == "unknown":
        rows = rows.filter(is_right=False, predicted="")
    elif show == "right":
        rows = rows.filter(is_right=True)
    elif show != "all":
        raise InvalidInput("There is no such list of answers.")
    return paging.page(
        rows, after=after, before=before, size=size, key="position", newest_first=False
    )
