"""After a fine-tune: is it better, and worth it? Asked of tests, said in a sentence."""

from dashboard.services.verdicts.asking import MARGIN, TOPIC, begin, latest, sides, tests
from dashboard.services.verdicts.deciding import Progress, Suited, progress, told

__all__ = [
    "MARGIN",
    "TOPIC",
    "Progress",
    "Suited",
    "begin",
    "latest",
    "progress",
    "sides",
    "tests",
    "told",
]
