"""Nearest texts: one index, used to recall corrections and by the `knn` trainer."""

from trainerbot.retrieval.nearest import Match, NearestTexts
from trainerbot.retrieval.sameness import (
    agree,
    canonical,
    contrasts,
    near_identical,
    same_question,
)

__all__ = [
    "Match",
    "NearestTexts",
    "agree",
    "canonical",
    "contrasts",
    "near_identical",
    "same_question",
]
