"""Training on what people taught: picked, checked, learned, tested, told.

scope = trainings.scope_of("guild-3")
picked = trainings.look(scope)                # what it would learn, and what stays out, and why
training = trainings.begin(scope, actor=user) # a worker does the rest
trainings.models_of(correction)               # in which models a correction lives
"""

from dashboard.services.trainings.asking import begin, cancel, get
from dashboard.services.trainings.erasing import erase, erase_questions
from dashboard.services.trainings.lives import LivesIn, known_revisions, models_of
from dashboard.services.trainings.news import TOPIC, topic
from dashboard.services.trainings.picking import Picked, Scope, Why, look, scope_of, scopes
from dashboard.services.trainings.testing import tests_of

__all__ = [
    "TOPIC",
    "LivesIn",
    "Picked",
    "Scope",
    "Why",
    "begin",
    "cancel",
    "erase",
    "erase_questions",
    "get",
    "known_revisions",
    "look",
    "models_of",
    "scope_of",
    "scopes",
    "tests_of",
    "topic",
]
