"""The task `import`: rows are stored a batch a transaction, and shown when the last one is."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.timezone import now

from dashboard.models import Dataset, DatasetImport, DatasetVersion, Provenance
from dashboard.services import audit, datasets, examination, outbox, provenance, storing, tasks
from dashboard.services.drafts import discarding
from dashboard.services.drafts.discarding import DISCARD
from dashboard.services.drafts.state import next_number
from dashboard.services.imports import moving, origins
from dashboard.services.imports.moving import State
from dashboard.services.imports.origins import Whence
from dashboard.services.tasks import Run
from trainerbot.errors import Conflict
from trainerbot.formats import Problem, Row, canonical, read

IMPORT = "import-rows"
BATCH = 2_000
BATCH_CHARACTERS = 8_000_000  # rows of many megabytes come by few, so that memory stays bounded
Batch = list[storing.Prepared]


@tasks.handler(IMPORT)
def run_import(run: Run) -> dict[str, Any]:
    """Store the rows of an import; called again after a kill, it goes on where it was."""
    imported = DatasetImport.objects.select_related("version__dataset", "provenance").get(
        pk=run.args["import_id"]
    )
    if imported.state != State.IMPORTING:
        return {"state": imported.state, "version": imported.version_id}
    with moving.ends_in_words(imported, run, undo=discard):
        run.save(step="importing")
        version = store(imported, run)
    return {"state": imported.state, "version": version.pk}


def store(imported: DatasetImport, run: Run) -> DatasetVersion:
    """Store what is not stored yet, then show it; the version that it became."""
    version = imported.version or _begin(imported)
    tick = moving.ticker(run, imported)
    digest, n_bytes, n_stored = _stored_so_far(version)
    total = imported.report.get("n_examples") or 0
    given = _provenance(imported)
    whence = origins.whence(moving.path_of(imported), given, run)
    for batch in _ahead(_batches(imported, skip=n_stored)):
        with transaction.atomic():
            # In the same transaction: a worker that lost its lease stores nothing.
            run.save(progress=n_stored / total if total else 0.0)
            whence.hear((row.source for row in batch), given, run)
            told = [whence.of(row.line, source=row.source) for row in batch]
            storing.insert_from(version, batch, told, first_position=n_stored)
        lines = "".join([row.canonical for row in batch]).encode()
        digest.update(lines)
        n_bytes += len(lines)
        n_stored += len(batch)
        tick(n_stored, total)
    stored = _Stored(sha256=digest.hexdigest(), n_bytes=n_bytes, n_rows=n_stored)
    return _complete(imported, version, run, stored, whence)


class _Stored(NamedTuple):
    """What all rows of an import came to."""

    sha256: str
    n_bytes: int
    n_rows: int


def _provenance(imported: DatasetImport) -> Provenance:
    if imported.provenance is None:
        raise Conflict("This import does not say where its rows come from. Start it again.")
    return imported.provenance


def discard(imported: DatasetImport) -> None:
    """Delete what an import has stored; nobody has seen it."""
    version = imported.version
    if version is not None and not version.is_whole:
        with transaction.atomic():
            # First, so that nobody goes on with half of the rows; the task deletes
            # what a kill leaves.
            DatasetImport.objects.filter(pk=imported.pk).update(version=None)
            tasks.submit(DISCARD, args={"version": version.pk}, max_attempts=20)
        imported.version = None
        discard_version(version)


def discard_version(version: DatasetVersion) -> None:
    """Delete a version that nobody sees, its rows and their words; others write in between."""
    discarding.delete(version)
    with transaction.atomic():
        if not DatasetVersion.everything.filter(dataset=version.dataset_id).exists():
            Dataset.objects.filter(pk=version.dataset_id, archived_at__isnull=False).delete()


def _begin(imported: DatasetImport) -> DatasetVersion:
    with transaction.atomic():
        # Out of the lists until its first version is whole.
        dataset, _ = Dataset.objects.select_for_update().get_or_create(
            name=imported.name,
            defaults={"created_by": imported.created_by, "archived_at": now()},
        )
        report = imported.report
        version = DatasetVersion.everything.create(
            dataset=dataset,
            number=next_number(dataset),
            kind=imported.detected.get("kind") or "chat",
            n_examples=0,
            n_bytes=0,
            n_warnings=report.get("n_problems", 0),
            problems=report.get("problems", [])[:200],
            file_format=imported.file_format,
            source_filename=imported.filename,
            created_by=imported.created_by,
            is_whole=False,
        )
        imported.dataset, imported.version = dataset, version
        imported.save(update_fields=["dataset", "version", "updated_at"])
    return version


def _stored_so_far(version: DatasetVersion) -> tuple[Any, int, int]:
    """What an earlier run of the task has stored: its hash, its bytes, its rows."""
    digest, n_bytes, n_stored = hashlib.sha256(), 0, 0
    records = version.examples.order_by("position").values_list("record", flat=True)
    for record in records.iterator(chunk_size=BATCH):
        line = canonical(record).encode()
        digest.update(line)
        n_bytes += len(line)
        n_stored += 1
    return digest, n_bytes, n_stored


def _batches(imported: DatasetImport, *, skip: int) -> Iterator[Batch]:
    batch: Batch = []
    n_characters = 0
    for row in islice(_rows(imported), skip, None):
        prepared = storing.prepare(row)
        batch.append(prepared)
        n_characters += len(prepared.canonical)
        if len(batch) == BATCH or n_characters >= BATCH_CHARACTERS:
            yield batch
            batch, n_characters = [], 0
    if batch:
        yield batch


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield `batches`, the next one being made while the last one is stored.

    The database works without Python's lock, so a thread halves the wait.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="reads-ahead") as reader:
        coming = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield batch


def _rows(imported: DatasetImport) -> Iterator[Row]:
    """The usable rows of the file, in its order, as many as the check has counted."""
    n_rows = 0
    path = moving.path_of(imported)
    for each in read(path, format=imported.file_format, options=moving.options_of(imported)):
        if isinstance(each, Row):
            n_rows += 1
            yield each
        elif isinstance(each, Problem) and each.severity == "error" and not imported.skip_faulty:
            raise _changed(imported)
    is_another = moving.stamp_of(imported) != imported.detected.get("stamp")
    if is_another or n_rows != imported.report.get("n_examples"):
        raise _changed(imported)


def _changed(imported: DatasetImport) -> Conflict:
    return Conflict(f"{imported.filename} changed while it was read. Import it again.")


def _complete(
    imported: DatasetImport,
    version: DatasetVersion,
    run: Run,
    stored: _Stored,
    whence: Whence,
) -> DatasetVersion:
    """Show a version all of whose rows are stored, unless the newest one has the same rows."""
    others = DatasetVersion.objects.filter(dataset=version.dataset).exclude(pk=version.pk)
    same: DatasetVersion | None = others.frozen().order_by("-number").first()
    with transaction.atomic():
        # As with the rows: whoever lost its lease, or was asked to stop, shows nothing.
        run.save()
        if (
            same is not None
            and same.sha256 == stored.sha256
            and _says_as_much(same, version, whence)
        ):
            kept: DatasetVersion = same
        else:
            kept = version
            unfinished = DatasetVersion.everything.filter(pk=version.pk, is_whole=False)
            unfinished.update(
                is_whole=True,
                n_examples=stored.n_rows,
                n_bytes=stored.n_bytes,
                sha256=stored.sha256,
                split=whence.split,
                frozen_at=now() if imported.freeze else None,
                frozen_by=imported.created_by if imported.freeze else None,
            )
            version.refresh_from_db()
            examination.request(version, soon=True)
            audit.record(
                imported.created_by,
                "dataset.import",
                str(version),
                name=_provenance(imported).author,
                n_examples=stored.n_rows,
                sha256=stored.sha256,
            )
        _show(version.dataset, created=kept is version and not others.exists())
        moving.move(imported, State.IMPORTED, version=kept)
    if kept is not version:
        discard_version(version)
    moving.delete_file(imported)
    return kept


def _says_as_much(version: DatasetVersion, imported: DatasetVersion, whence: Whence) -> bool:
    """Whether a version tells of its rows what an import of the same rows tells.

    A person who corrects where words came from must not get the version back
    that had it wrong.
    """
    if whence.split and whence.split != version.split:
        return False
    known = [share.provenance for share in provenance.shares(version)]
    if whence.marked:
        read = [share.provenance for share in provenance.shares(imported)]
        return {_told(each) for each in known} == {_told(each) for each in read}
    if len(whence.provenances) > 1:
        return {_told(each) for each in known} == {_told(each) for each in whence.provenances}
    told = whence.provenances[0]
    return all(each.source == told.source and told.licence in ("", each.licence) for each in known)


def _told(each: Provenance) -> tuple[str, str, str, str]:
    return each.source, each.author, each.licence, each.reference


def _show(dataset: Dataset, *, created: bool) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(archived_at=None)
    dataset.archived_at = None
    outbox.publish(datasets.TOPIC, "dataset.changed", id=dataset.pk, created=created)
