"""After a fine-tune: is it better, and worth it? Asked of tests, said in a sentence."""

from dashboard.services.verdicts.asking import TOPIC, begin, latest
from dashboard.services.verdicts.deciding import Progress, Suited, progress, told

__all__ = ["TOPIC", "Progress", "Suited", "begin", "latest", "progress", "told"]
