"""What open pages and the bot hear of trainings."""

from typing import Final

from dashboard.models import Training
from dashboard.services import outbox

TOPIC: Final = "trainings"


def topic(training: Training) -> str:
    return f"training.{training.pk}"


def announce(training: Training) -> None:
    """Tell of a change, in its transaction."""
    for each in (topic(training), TOPIC):
        outbox.publish(each, "training.changed", id=training.pk, stage=training.stage)
