"""Exports are asked for, found, cancelled, downloaded and at last deleted."""

import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from dashboard.models import DatasetExport, DatasetVersion, Task
from dashboard.services import audit, tasks
from dashboard.services.access import Person
from dashboard.services.exports import places
from dashboard.services.exports.formats import refuse
from dashboard.services.exports.running import EXPORT, announce
from trainerbot.errors import Conflict, NotFound

KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Download:
    """A file to send: where it lies, what it is called, and its media type."""

    path: Path
    filename: str
    content_type: str
    n_bytes: int


def start(
    version: DatasetVersion,
    *,
    formats: Sequence[str],
    actor: User | Person | None,
    part: str = "",
    as_archive: bool = False,
) -> DatasetExport:
    """Queue the writing of a version; its `task` shows how far it is.

    Several formats come as one archive, as one does where `as_archive` says
    so. The same request while such an export is being written returns that
    one. Raises InvalidInput for what the version cannot be written as.
    """
    names = list(dict.fromkeys(formats))
    refuse(version, names, part=part)
    wanted = {
        "version": version,
        "formats": names,
        "part": part,
        "is_archive": as_archive or len(names) > 1,
        "created_by": actor.user if isinstance(actor, Person) else actor,
    }
    with transaction.atomic():
        DatasetVersion.objects.select_for_update().get(pk=version.pk)
        waiting = DatasetExport.objects.filter(filename="", **wanted)
        twin = waiting.filter(
            task__state__in=[Task.State.READY, Task.State.RUNNING], task__cancel_requested=False
        ).first()
        if twin is not None:
            return twin
        key = uuid.uuid4()
        task = tasks.submit(EXPORT, args={"export": str(key)})
        exported = DatasetExport.objects.create(key=key, task=task, **wanted)
        audit.record(actor, "dataset.export", str(version), formats=names, part=part)
        announce(exported)
    return exported


def get(key: uuid.UUID | str) -> DatasetExport:
    try:
        wanted = uuid.UUID(str(key))
    except ValueError as error:
        raise NotFound("There is no such export.") from error
    found = (
        DatasetExport.objects.select_related("version__dataset", "task").filter(key=wanted).first()
    )
    if found is None:
        raise NotFound(
            "There is no such export. Exports are deleted after some days; make it again."
        )
    return found


def of_version(version: DatasetVersion) -> QuerySet[DatasetExport]:
    """The exports of a version, newest first."""
    return version.exports.select_related("task", "created_by").order_by("-pk")


def cancel(exported: DatasetExport, *, actor: User | Person | None) -> None:
    """Stop writing it; nothing of it stays. Raises Conflict when it is over."""
    if exported.is_ready or not tasks.cancel(exported.task):
        raise Conflict("This export is over already.")
    audit.record(actor, "dataset.export.cancel", str(exported.version))
    with transaction.atomic():
        announce(exported)


def download(exported: DatasetExport) -> Download:
    """The file of an export. Raises Conflict before it is written, NotFound once it is deleted."""
    if not exported.is_ready:
        raise Conflict("This export is not written yet. Wait until it is.")
    path = places.path_of(exported)
    if not path.is_file():
        raise NotFound("This export was deleted. Make it again.")
    return Download(path, exported.filename, exported.content_type, exported.n_bytes)


def prune() -> int:
    """Delete exports older than seven days, and files that no export knows; how many.

    The worker calls this now and then.
    """
    n_deleted = 0
    for exported in DatasetExport.objects.filter(created_at__lt=now() - KEPT_FOR):
        if not exported.task.is_finished:
            tasks.cancel(exported.task)
            continue
        places.delete(exported)
        exported.delete()
        n_deleted += 1
    for folder in places.strays():
        shutil.rmtree(folder, ignore_errors=True)
        n_deleted += 1
    return n_deleted
