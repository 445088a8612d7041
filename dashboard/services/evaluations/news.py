"""What open pages hear of a test."""

from typing import Final

from dashboard.models import Evaluation
from dashboard.services import outbox

TOPIC: Final = "evaluations"


def topic(evaluation: Evaluation) -> str:
    return f"evaluation.{evaluation.pk}"


def announce(evaluation: Evaluation) -> None:
    """Tell open pages, in the transaction of the change."""
    for each in (topic(evaluation), TOPIC):
        outbox.publish(each, "evaluation.changed", id=evaluation.pk, n_done=evaluation.n_done)
