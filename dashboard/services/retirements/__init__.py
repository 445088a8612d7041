"""Models that their endpoints switch off: warned of ahead, and a way to try what takes their place."""

from dashboard.services.retirements.days import Days, Last, of_training
from dashboard.services.retirements.telling import look_later
from dashboard.services.retirements.trying import (
    Plan,
    aliases_of,
    begin,
    find,
    latest,
    plan,
)
from dashboard.services.retirements.warning import TOPIC, Warned, about_training, sentence, warned

__all__ = [
    "TOPIC",
    "Days",
    "Last",
    "Plan",
    "Warned",
    "about_training",
    "aliases_of",
    "begin",
    "find",
    "latest",
    "look_later",
    "of_training",
    "plan",
    "sentence",
    "warned",
]
