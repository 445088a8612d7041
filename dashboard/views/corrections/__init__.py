"""The review queue: what people taught, judged and put in force."""

from dashboard.views.corrections.ahead import alarms, alarms_count, foresee
from dashboard.views.corrections.deciding import approve, bulk, edit, move, reject, undo
from dashboard.views.corrections.queue import detail, history, list_, queue
from dashboard.views.corrections.talk import assign, comment
from dashboard.views.corrections.teaching import export, teach

__all__ = [
    "alarms",
    "alarms_count",
    "approve",
    "assign",
    "bulk",
    "comment",
    "detail",
    "edit",
    "export",
    "foresee",
    "history",
    "list_",
    "move",
    "queue",
    "reject",
    "teach",
    "undo",
]
