"""What a turn on Discord reads each time, kept until somebody writes to the database."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, connections

from dashboard.services import places, recall

if TYPE_CHECKING:
    from dashboard.models import Conversation
    from dashboard.services.places import Rules
    from trainerbot.conversation import Recall

MOST_SEATS = 2_000

Seat = tuple[int | None, int, int]


@dataclass
class Kept:
    """Settings, corrections and conversations as they were when `mark` was taken.

    seats: the conversation of a guild, channel and person, by Discord's ids.
    """

    rules: Rules
    index: Recall
    seats: dict[Seat, Conversation] = field(default_factory=dict)
    mark: tuple[Any, ...] | None = None


_mine = threading.local()


def current() -> Kept:
    """What counts at this moment, in whichever process it was changed.

    On SQLite one pragma and one counter tell whether anybody wrote since the
    last turn of this thread; only then is anything asked. Elsewhere the stamps
    of settings and corrections are asked each time.
    """
    kept: Kept | None = getattr(_mine, "kept", None)
    mark = _mark()
    if kept is None or mark is None or kept.mark != mark:
        kept = Kept(places.rules(), recall.current())
        kept.mark = mark
        _mine.kept = kept
    return kept


def written(kept: Kept) -> None:
    """Say that all that was written since `current()` came from the turn itself."""
    kept.mark = _mark()
    if len(kept.seats) > MOST_SEATS:
        kept.seats.clear()


def forget() -> None:
    """Read all anew at the next turn of this thread: what was written by one was undone."""
    _mine.kept = None


def _mark() -> tuple[Any, ...] | None:
    """What changes with every write: other connections' by the pragma, our own by the counter."""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "sqlite":
        return None
    connection.ensure_connection()
    database = connection.connection
    version = database.execute("PRAGMA data_version").fetchone()[0]
    return database, version, database.total_changes
