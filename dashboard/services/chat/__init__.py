"""One turn on any face: log the question, recall, ask, stream, log the answer."""

from dashboard.services.chat.offers import abilities_of, default_model, models
from dashboard.services.chat.on_discord import (
    Admitted,
    Asked,
    Spot,
    admit,
    begin,
    finish,
    give_up,
    resume,
    rules,
)
from dashboard.services.chat.turns import Ready, answer, reply, run
from dashboard.services.hops import hop

__all__ = [
    "Admitted",
    "Asked",
    "Ready",
    "Spot",
    "abilities_of",
    "admit",
    "answer",
    "begin",
    "default_model",
    "finish",
    "give_up",
    "hop",
    "models",
    "reply",
    "resume",
    "rules",
    "run",
]
