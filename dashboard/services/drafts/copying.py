"""A frozen version becomes a draft: its rows are copied by the database, a batch a transaction."""

from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction

from dashboard.models import Dataset, DatasetVersion, Example, Task
from dashboard.services import audit, searching, tasks
from dashboard.services.drafts.discarding import delete
from dashboard.services.drafts.state import AT_ONCE, COPY, announce, next_number
from dashboard.services.tasks import Run
from trainerbot.curation import text_of
from trainerbot.errors import InvalidInput, NotFound
from trainerbot.formats.rows import Kind

BATCH = 2_000
_TABLE = Example._meta.db_table
# All but the key, the version, and the marks of what was done to a draft: `edited` is
# whether a row says something else than in the version before.
_OWN = ("id", "version", "edited", "removed_by")
_COLUMNS = ", ".join(
    str(field.column) for field in Example._meta.concrete_fields if field.name not in _OWN
)


def copy(version: DatasetVersion, *, actor: User | None) -> DatasetVersion:
    """Make a draft with the rows of a frozen `version`, and with it as parent.

    Up to 20,000 rows it is whole on return; a larger one is filled by a task
    (`copy_task`), and nobody sees it until it `is_whole`. Raises InvalidInput
    for a version that is a draft itself.
    """
    if version.is_draft:
        raise InvalidInput(f"{version} is a draft already. Edit it as it is.")
    with transaction.atomic():
        draft = _begin(version, actor)
        audit.record(actor, "dataset.copy", str(draft), parent=version.number)
        if version.n_examples > AT_ONCE:
            tasks.submit(COPY, args={"version": draft.pk}, max_attempts=20)
            return draft
    try:
        while (_copy_batch(version, draft)) == BATCH:
            pass
        _show(draft)
    except BaseException:
        delete(draft)
        raise
    return draft


def copy_task(draft: DatasetVersion) -> Task | None:
    """The task that fills `draft`, if it is not whole yet."""
    return Task.objects.unfinished().filter(kind=COPY, args__version=draft.pk).first()


@tasks.handler(COPY)
def run_copy(run: Run) -> dict[str, Any]:
    """Copy what is not copied yet; called again after a kill, it goes on where it was."""
    draft = DatasetVersion.everything.filter(pk=run.args["version"]).first()
    if draft is None or draft.is_whole:
        return {"version": run.args["version"]}
    source = draft.parent
    if source is None:
        delete(draft)
        raise NotFound("The version to copy is gone.")
    try:
        run.save(step="copying")
        n_copied = int(run.checkpoint.get("n_copied", 0))
        while True:
            with transaction.atomic():
                # First, so that a worker that lost its lease copies nothing.
                run.save(progress=n_copied / max(source.n_examples, 1), n_copied=n_copied)
                n_new = _copy_batch(source, draft)
            n_copied += n_new
            if n_new < BATCH:
                break
        with transaction.atomic():
            run.save(n_copied=n_copied)
            _show(draft)
    except tasks.Cancelled:
        delete(draft)
        raise
    return {"version": draft.pk}


def _begin(version: DatasetVersion, actor: User | None) -> DatasetVersion:
    dataset = Dataset.objects.select_for_update().get(pk=version.dataset_id)
    return DatasetVersion.everything.create(
        dataset=dataset,
        number=next_number(dataset),
        parent=version,
        kind=version.kind,
        sha256=version.sha256,
        n_examples=version.n_examples,
        n_bytes=version.n_bytes,
        file_format=version.file_format,
        source_filename=version.source_filename,
        summary=version.summary,
        split=version.split,
        created_by=actor,
        is_whole=False,
    )


@transaction.atomic
def _copy_batch(source: DatasetVersion, draft: DatasetVersion) -> int:
    """Copy the rows after those that are there; how many those were."""
    last = draft.examples.last_position()
    with connection.cursor() as cursor:
        # In the order of positions, so that keys rise with them, as the search expects.
        cursor.execute(
            f"INSERT INTO {_TABLE} (version_id, edited, {_COLUMNS}) "
            f"SELECT %s, %s, {_COLUMNS} FROM {_TABLE} "
            "WHERE version_id = %s AND position > %s AND removed_by_id IS NULL "
            "ORDER BY position LIMIT %s",
            [draft.pk, False, source.pk, last, BATCH],
        )
        n_new = int(cursor.rowcount)
    kind = Kind(draft.kind)
    # A row without a digest is in no index yet; its examination brings it there.
    fresh = Example.objects.filter(version=draft, position__gt=last).exclude(digest=None)
    rows = fresh.order_by("position").values_list("pk", "record")
    searching.add((pk, text_of(record, kind)) for pk, record in rows)
    return n_new


@transaction.atomic
def _show(draft: DatasetVersion) -> None:
    DatasetVersion.everything.filter(pk=draft.pk).update(is_whole=True)
    draft.is_whole = True
    announce(draft)
