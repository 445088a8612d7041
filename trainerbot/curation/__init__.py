"""What makes a heap of records a training set: pure functions, nothing is stored.

Duplicates, exact and near; private data; splitting; balance, outliers and
scores; differences between two texts.
"""

from trainerbot.curation.balance import Balance, balance
from trainerbot.curation.differences import Change, Difference, differences
from trainerbot.curation.near import Near, near_duplicates, near_groups
from trainerbot.curation.outliers import Outliers, outliers
from trainerbot.curation.private import (
    Finding,
    Masked,
    PrivateKind,
    find_private,
    mask,
    mask_record,
)
from trainerbot.curation.scoring import LabelScore, Scores, scores
from trainerbot.curation.splitting import PARTS, split
from trainerbot.curation.surveying import Survey, survey
from trainerbot.curation.texts import fingerprint, text_of, wording_of

__all__ = [
    "PARTS",
    "Balance",
    "Change",
    "Difference",
    "Finding",
    "LabelScore",
    "Masked",
    "Near",
    "Outliers",
    "PrivateKind",
    "Scores",
    "Survey",
    "balance",
    "differences",
    "find_private",
    "fingerprint",
    "mask",
    "mask_record",
    "near_duplicates",
    "near_groups",
    "outliers",
    "scores",
    "split",
    "survey",
    "text_of",
    "wording_of",
]
