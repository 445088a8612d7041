"""Corrections: proposed, reviewed, in force. Words are kept exactly as they were written."""

from dashboard.services.corrections.bulk import MOST_AT_ONCE, Outcome, Picked, decide_all
from dashboard.services.corrections.deciding import approve, edit, move, reject
from dashboard.services.corrections.finding import Filter, find, get, no_such, visible_to
from dashboard.services.corrections.joining import join
from dashboard.services.corrections.places import (
    Place,
    check_place,
    home_of,
    may_carry,
    place_value,
    places_for,
    read_place,
    reviewers_needed,
)
from dashboard.services.corrections.proposing import (
    MAX_CHARACTERS,
    check_answer,
    check_question,
    propose,
    propose_for,
)
from dashboard.services.corrections.steps import TOPIC, decided, waiting
from dashboard.services.corrections.talk import assign, comment, reviewers
from dashboard.services.corrections.timeline import Entry, timeline
from dashboard.services.corrections.undoing import undo, undoable
from dashboard.services.corrections.votes import Tally, tallies, tally

__all__ = [
    "MAX_CHARACTERS",
    "MOST_AT_ONCE",
    "TOPIC",
    "Entry",
    "Filter",
    "Outcome",
    "Picked",
    "Place",
    "Tally",
    "approve",
    "assign",
    "check_answer",
    "check_place",
    "check_question",
    "comment",
    "decide_all",
    "decided",
    "edit",
    "find",
    "get",
    "home_of",
    "join",
    "may_carry",
    "move",
    "no_such",
    "place_value",
    "places_for",
    "propose",
    "propose_for",
    "read_place",
    "reject",
    "reviewers",
    "reviewers_needed",
    "tallies",
    "tally",
    "timeline",
    "undo",
    "undoable",
    "visible_to",
    "waiting",
]
