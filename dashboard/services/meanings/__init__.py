"""What the questions of corrections mean, as vectors of an embedding model that an admin chooses.

Vectors are made by the worker (`filling`), and compared by whoever recalls
(`spaces`). Models are asked over HTTP only, never in a process of ours.
"""

from dashboard.services.meanings.asking import PATIENCE_S, WrongDimensions
from dashboard.services.meanings.choosing import Offer, Standing, choose, current, offers, standing
from dashboard.services.meanings.filling import Filler, fill
from dashboard.services.meanings.spaces import TOPIC, count_spent, outgrown, space

__all__ = [
    "PATIENCE_S",
    "TOPIC",
    "Filler",
    "Offer",
    "Standing",
    "WrongDimensions",
    "choose",
    "count_spent",
    "current",
    "fill",
    "offers",
    "outgrown",
    "space",
    "standing",
]
