"""After a fine-tune: is it better, and worth it? Asked of tests, said in a sentence."""

from dashboard.services.verdicts.asking import MARGIN, TOPIC, begin, latest, questions, tests
from dashboard.services.verdicts.deciding import Progress, Suited, progress, shown_to, told

__all__ = [
    "MARGIN",
    "TOPIC",
    "Progress",
    "Suited",
    "begin",
    "latest",
    "progress",
    "questions",
    "shown_to",
    "tests",
    "told",
]
