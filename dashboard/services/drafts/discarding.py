"""Rows that nobody will see again: of discarded drafts, and those that were removed for good."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import now

from dashboard.models import Dataset, DatasetVersion, EditedExample, Example, Task
from dashboard.services import audit, searching, tasks
from dashboard.services.drafts.state import AT_ONCE, COPY, announce, lock
from dashboard.services.tasks import Run
from trainerbot.curation import text_of
from trainerbot.formats.rows import Kind

DISCARD = "discard-version"
BATCH = 2_000


def discard(version: DatasetVersion, *, actor: User | None) -> None:
    """Delete a draft and its rows, also one whose copying runs.

    A dataset without another version leaves the lists. Raises DatasetFrozen
    for a frozen version: jobs and copies refer to it.
    """
    if not version.is_whole:
        _stop_copying(version, actor)
        return
    with transaction.atomic():
        draft = lock(version)
        DatasetVersion.everything.filter(pk=draft.pk).update(is_whole=False)
        if not DatasetVersion.objects.filter(dataset=draft.dataset_id).exists():
            Dataset.objects.filter(pk=draft.dataset_id).update(archived_at=now())
        audit.record(actor, "dataset.discard", str(draft), n_examples=draft.n_examples)
        tasks.submit(DISCARD, args={"version": draft.pk}, max_attempts=20)
        announce(draft)
    if draft.n_examples <= AT_ONCE:
        delete(draft)


@tasks.handler(DISCARD)
def run_discard(run: Run) -> dict[str, Any]:
    """Delete the rows of a discarded draft, or those that a frozen one no longer has."""
    version = DatasetVersion.everything.filter(pk=run.args["version"]).first()
    if version is not None:
        run.save(step="deleting")
        if not version.is_whole:
            delete(version)
        elif not version.is_draft:
            sweep(version)
    return {"version": run.args["version"]}


def delete(version: DatasetVersion) -> None:
    """Delete a version that nobody sees, a batch a transaction: others write in between."""
    delete_rows(Example.objects.filter(version=version), Kind(version.kind))
    DatasetVersion.everything.filter(pk=version.pk, is_whole=False).delete()


def sweep(version: DatasetVersion) -> None:
    """Delete for good what a frozen version no longer has: removed rows, and words before edits."""
    if not version.edits.exists():
        return
    before = EditedExample.objects.filter(edit__version=version)
    while batch := list(before.values_list("pk", flat=True)[:BATCH]):
        EditedExample.objects.filter(pk__in=batch).delete()
    # What was typed into an edit may have been masked since.
    version.edits.exclude(state={}).update(state={})
    removed = Example.objects.filter(removed_by__in=version.edits.all())
    delete_rows(removed, Kind(version.kind))


def has_leftovers(version: DatasetVersion) -> bool:
    """Whether `sweep` has something to do."""
    gone = Example.objects.filter(removed_by=OuterRef("pk"))
    before = EditedExample.objects.filter(edit=OuterRef("pk"))
    return version.edits.filter(Exists(gone) | Exists(before) | ~Q(state={})).exists()


def _stop_copying(draft: DatasetVersion, actor: User | None) -> None:
    audit.record(actor, "dataset.discard", str(draft))
    for task in Task.objects.unfinished().filter(kind=COPY, args__version=draft.pk):
        tasks.cancel(task)
        task.refresh_from_db()
        if not task.is_finished:
            return  # Its worker stops at its next step, and cleans up.
    delete(draft)


def delete_rows(rows: QuerySet[Example], kind: Kind) -> None:
    """Delete examples of one kind and their words in the index, a batch a transaction."""
    found = rows.order_by().values_list("pk", "record", "digest")
    while True:
        with transaction.atomic():
            batch = list(found[:BATCH])
            searching.forget(
                (pk, text_of(record, kind)) for pk, record, digest in batch if digest is not None
            )
            Example.objects.filter(pk__in=[pk for pk, _, _ in batch]).delete()
        if len(batch) < BATCH:
            return
