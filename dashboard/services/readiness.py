"""Whether everything that should run does."""

from typing import TypedDict

from django.conf import settings
from django.db import DatabaseError, connection

from dashboard.models import ProcessState
from dashboard.services import embedded, providers


class Part(TypedDict):
    """One part of the system. `ok` is also true for a part that is not wanted."""

    ok: bool
    state: str


def report() -> dict[str, Part]:
    """Each part's state: database, worker, modelserver, bot. Takes about a second at worst."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        rows = {row.name: row for row in ProcessState.objects.all()}
    except DatabaseError:
        unknown = Part(ok=False, state="unknown, since the database does not answer")
        return {
            "database": Part(ok=False, state="does not answer"),
            "worker": unknown,
            "modelserver": unknown,
            "bot": unknown,
        }
    return {
        "database": Part(ok=True, state="running"),
        "worker": _process(rows.get("worker")),
        "modelserver": _modelserver(),
        "bot": _process(rows.get("bot"))
        if settings.DISCORD_TOKEN
        else Part(ok=True, state="disabled: no DISCORD_TOKEN is set"),
    }


def _process(row: ProcessState | None) -> Part:
    if row is None:
        return Part(ok=False, state="never started")
    if row.is_alive:
        return Part(ok=True, state="running")
    silent = row.state == ProcessState.State.RUNNING
    return Part(ok=False, state="silent for over 30 s" if silent else row.state)


def _modelserver() -> Part:
    if not providers.uses_embedded_server():
        return Part(ok=True, state="not needed: another endpoint is configured")
    alive = embedded.answers()
    return Part(ok=alive, state="running" if alive else "does not answer")
