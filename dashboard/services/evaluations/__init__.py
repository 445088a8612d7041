"""Tests of a model on labelled texts, as the original's `test` did them.

`submit` queues one on a frozen version, `work` runs it, `results` reads what
it came to; `trials` asks about records that are in no dataset.
"""

from dashboard.services.evaluations.news import TOPIC, topic
from dashboard.services.evaluations.results import predictions
from dashboard.services.evaluations.runs import cancel, get, submit
from dashboard.services.evaluations.trials import Trial, classify, read_records

__all__ = [
    "TOPIC",
    "Trial",
    "cancel",
    "classify",
    "get",
    "predictions",
    "read_records",
    "submit",
    "topic",
]
