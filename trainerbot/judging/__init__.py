"""Whether an answer is right, told by its words or by a model; and how sure a score is."""

from trainerbot.judging.verdicts import Verdict, not_judged
from trainerbot.judging.words import contains, label, similar, verbatim

__all__ = ["Verdict", "contains", "label", "not_judged", "similar", "verbatim"]
