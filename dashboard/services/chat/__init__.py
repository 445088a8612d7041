"""One turn on any face: log the question, recall, ask, stream, log the answer."""

from dashboard.services.chat.hopping import hop
from dashboard.services.chat.offers import abilities_of, default_model, models, own_choice
from dashboard.services.chat.on_discord import (
    Admitted,
    Asked,
    Spot,
    admit,
    again,
    begin,
    finish,
    foreseen,
    give_up,
    log,
    recalling,
    resume,
    rules,
)
from dashboard.services.chat.turns import Ready, answer, reply, run

__all__ = [
    "Admitted",
    "Asked",
    "Ready",
    "Spot",
    "abilities_of",
    "admit",
    "again",
    "answer",
    "begin",
    "default_model",
    "finish",
    "foreseen",
    "give_up",
    "hop",
    "log",
    "models",
    "own_choice",
    "recalling",
    "reply",
    "resume",
    "rules",
    "run",
]
