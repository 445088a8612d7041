"""The end of an import that nobody wants any more, or that nobody went on with."""

import uuid
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils.timezone import now

from dashboard.models import DatasetImport, DatasetVersion, Task
from dashboard.services import audit, tasks
from dashboard.services.imports import moving
from dashboard.services.imports.moving import State
from dashboard.services.imports.rows import discard, discard_version
from trainerbot.errors import Conflict

ABANDONED_AFTER = timedelta(days=2)
WORKED_ON = (State.RECEIVED, State.CHECKING, State.IMPORTING)


def cancel(imported: DatasetImport, *, actor: User | None, name: str = "") -> None:
    """Stop an import wherever it is; nothing of it stays. Raises Conflict when it is over.

    name: who stopped it, for a person who has no account here.
    """
    imported.refresh_from_db(fields=["state"])
    if imported.is_over:
        raise Conflict(f"{imported.filename} is over already: {imported.get_state_display()}.")
    audit.record(actor, "import.cancel", f"import {imported.pk}", name=name)
    for task in moving.tasks_of(imported).unfinished():
        tasks.cancel(task)
        task.refresh_from_db()
        if not task.is_finished and imported.state in WORKED_ON:
            return  # Its worker stops at its next step, and cleans up.
    discard(imported)
    moving.end(imported, State.CANCELLED)


def forget_unfinished() -> None:
    """Delete what nobody goes on with: imports left for two days or by a kill, versions, files."""
    abandoned = DatasetImport.objects.unfinished().filter(updated_at__lt=now() - ABANDONED_AFTER)
    for imported in abandoned.select_related("version"):
        cancel(imported, actor=None)
    known = DatasetImport.objects.unfinished().exclude(version=None).values("version")
    orphans = DatasetVersion.everything.filter(
        is_whole=False, created_at__lt=now() - ABANDONED_AFTER
    ).exclude(pk__in=known)
    for version in orphans:
        discard_version(version)
    _end_hanging()
    _delete_leftover_files()


def _end_hanging() -> None:
    """End imports that no task works on: what went wrong could not be written when it did."""
    for imported in DatasetImport.objects.filter(state__in=WORKED_ON).select_related("version"):
        last = moving.tasks_of(imported).order_by("-pk").first()
        if last is None or not last.is_finished:
            continue
        # The task's last word is written after that of its import, so look again.
        imported.refresh_from_db()
        if imported.state in WORKED_ON:
            discard(imported)
            stopped = last.state == Task.State.CANCELLED
            state = State.CANCELLED if stopped else State.FAILED
            moving.end(imported, state, error="" if stopped else last.error)


def _delete_leftover_files() -> None:
    """Delete received bytes whose import is over: the process was killed before it did."""
    for path in moving.uploads_folder().iterdir():
        try:
            key = uuid.UUID(path.stem)
        except ValueError:
            continue
        if not DatasetImport.objects.unfinished().filter(key=key).exists():
            moving.unlink(path)
