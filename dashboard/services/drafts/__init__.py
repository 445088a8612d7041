"""Drafts: a copy of a frozen version that people edit, and freeze again.

Every change of a row is one `DatasetEdit` that can be taken back, newest
first, until the draft is frozen. Long ones are tasks: they show their
progress, and go on after kill -9 where they were.
"""

from dashboard.services.drafts.copying import copy, copy_task
from dashboard.services.drafts.discarding import DISCARD, discard
from dashboard.services.drafts.editing import (
    EDIT,
    LONG,
    cancel,
    edit_task,
    mend,
    redo,
    redoable,
    undo,
    undoable,
)
from dashboard.services.drafts.freezing import freeze, start_freezing
from dashboard.services.drafts.history import edits, running
from dashboard.services.drafts.state import COPY, FREEZE, freeze_task
from dashboard.services.drafts.verbs import (
    add,
    deduplicate,
    mask,
    relabel,
    remove,
    revision,
    rewrite,
    split,
)

__all__ = [
    "COPY",
    "DISCARD",
    "EDIT",
    "FREEZE",
    "LONG",
    "add",
    "cancel",
    "copy",
    "copy_task",
    "deduplicate",
    "discard",
    "edit_task",
    "edits",
    "freeze",
    "freeze_task",
    "mask",
    "mend",
    "redo",
    "redoable",
    "relabel",
    "remove",
    "revision",
    "rewrite",
    "running",
    "split",
    "start_freezing",
    "undo",
    "undoable",
]
