"""The beginning of an import: bytes come in, a person says what they are, or a command names a file."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils.timezone import now

from dashboard.models import DatasetImport, DatasetVersion, Provenance, Task
from dashboard.services import audit, legacy, storage, tasks
from dashboard.services.imports import moving, origins, surveying
from dashboard.services.imports.cancelling import cancel
from dashboard.services.imports.checking import CHECK, readable
from dashboard.services.imports.moving import DatasetRefused, State
from dashboard.services.imports.rows import IMPORT
from trainerbot.errors import Conflict, InvalidInput
from trainerbot.formats import Report

MAX_NAME = 120
JOB_IDS = "job-ids"
MAX_OPEN_UPLOADS = 20
MAX_ATTEMPTS = 8  # about two minutes of a database that is busy or away


def begin_upload(
    *,
    filename: str,
    n_bytes: int,
    created_by: User | None,
    name: str = "",
    options: dict[str, Any] | None = None,
) -> DatasetImport:
    """Expect a file of `n_bytes`, to be given to `receive` piece by piece.

    options: {mapping, label, sheet}, what the sender says of it beforehand.
    Raises InvalidInput for a size that is refused before a byte has come.
    """
    if n_bytes <= 0:
        raise InvalidInput("This file is empty. It needs at least one example.")
    if n_bytes > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES / 2**20
        raise InvalidInput(
            f"This file has {n_bytes / 2**20:,.1f} MiB, over the limit of {limit:,.1f} MiB. Split it."
        )
    mine = DatasetImport.objects.unfinished().filter(created_by=created_by)
    if mine.filter(state=State.RECEIVING).count() >= MAX_OPEN_UPLOADS:
        raise InvalidInput("Too many of your uploads are unfinished. Finish or cancel some.")
    return DatasetImport.objects.create(
        filename=_clean_filename(filename),
        name=clean_name(name) if name.strip() else "",
        options=options or {},
        n_bytes=n_bytes,
        created_by=created_by,
    )


def receive(imported: DatasetImport, *, offset: int, pieces: Iterable[bytes]) -> int:
    """Append `pieces` at `offset`; the number of bytes received so far.

    Once all have come the check begins. Raises Conflict when `offset` is not
    where the file ends: the sender asks where that is, and goes on there.
    """
    with moving.one_sender(imported):
        imported.refresh_from_db()
        if imported.state != State.RECEIVING:
            raise Conflict(f"{imported.filename} has been received already.")
        written = _append(imported, offset, pieces)
        _count(imported, offset, written)
    return imported.n_received


def _append(imported: DatasetImport, offset: int, pieces: Iterable[bytes]) -> int:
    """Write `pieces` behind what is counted; how many bytes they had. They lie on the disk then."""
    written = 0
    with storage.failures_in_words(), moving.path_of(imported).open("ab") as file:
        held = min(file.tell(), imported.n_received)
        if held < imported.n_received:
            # Bytes that were counted went, as with a disk that was put back: send them again.
            DatasetImport.objects.filter(pk=imported.pk).update(n_received=held)
        if offset != held:
            raise Conflict(f"The next byte of {imported.filename} is {held}.")
        # What a connection that broke had written beyond its count is cut off.
        file.truncate(offset)
        for piece in pieces:
            if offset + written + len(piece) > imported.n_bytes:
                raise InvalidInput(f"{imported.filename} is longer than was announced.")
            file.write(piece)
            written += len(piece)
        file.flush()
        # The sender forgets what is counted, so it must outlive a power cut.
        os.fsync(file.fileno())
    return written


def _count(imported: DatasetImport, offset: int, written: int) -> None:
    """Count what was written, and in the same breath begin the check of a file that is whole."""
    with storage.failures_in_words(), transaction.atomic():
        open_one = DatasetImport.objects.filter(
            pk=imported.pk, n_received=offset, state=State.RECEIVING
        )
        moved = open_one.update(n_received=F("n_received") + written, updated_at=now())
        imported.refresh_from_db()
        if moved and imported.n_received == imported.n_bytes:
            start_check(imported)
    if not moved:
        if imported.is_over:
            moving.delete_file(imported)
        raise Conflict(f"{imported.filename} has moved on in the meantime. Reload the page.")


def choose(
    imported: DatasetImport, *, file_format: str, options: dict[str, Any], target: str = ""
) -> None:
    """Take a person's word for what the file is, and check it again."""
    if imported.state != State.CHECKED:
        raise Conflict(f"{imported.filename} cannot be changed now. Reload the page.")
    said: dict[str, Any] = {"file_format": file_format, "options": options, "target": target}
    start_check(imported, source=State.CHECKED, **said)


def start_check(
    imported: DatasetImport, *, source: str = "", max_attempts: int = MAX_ATTEMPTS, **said: Any
) -> Task:
    """Queue the check of a file all of whose bytes are there, as what a person `said` it is.

    source: the state that it must be in.
    """
    with transaction.atomic():
        moving.move(imported, State.RECEIVED, source=source, report={}, **said)
        return tasks.submit(CHECK, args={"import_id": imported.pk}, max_attempts=max_attempts)


def start_import(
    imported: DatasetImport,
    *,
    name: str,
    actor: User | None,
    source: str = Provenance.Source.UPLOAD,
    author: str = "",
    licence: str = "",
    reference: str = "",
    skip_faulty: bool = False,
    freeze: bool = False,
    max_attempts: int = MAX_ATTEMPTS,
) -> Task:
    """Queue the storing of a checked file's rows as the next version of the dataset `name`.

    Raises DatasetRefused, with the problems by line, when it has errors and
    `skip_faulty` does not say to leave those rows out, and InvalidInput for
    an unusable name.
    """
    name = clean_name(name)
    if imported.state != State.CHECKED:
        raise Conflict(f"{imported.filename} is not ready to be imported. Reload the page.")
    refuse_job_ids(imported.filename, file_format=imported.file_format)
    refuse_faults(imported, skip_faulty=skip_faulty)
    path = moving.path_of(imported)
    source = origins.source_of(path, source)
    licence = origins.licence_of(path, licence, source=source)
    for what, text in (("licence", licence), ("author", author), ("reference", reference)):
        storage.check_text(text, what=f"The {what}")
    who = author or (actor.get_username() if actor else "command line")
    with transaction.atomic():
        provenance = Provenance.objects.create(
            source=source,
            author=who[:150],
            licence=licence.strip()[:120],
            reference=(reference or imported.filename)[:255],
        )
        moving.move(
            imported,
            State.IMPORTING,
            source=State.CHECKED,
            name=name,
            provenance=provenance,
            skip_faulty=skip_faulty,
            freeze=freeze,
        )
        audit.record(actor, "import.start", f"import {imported.pk}", name=who)
        return tasks.submit(IMPORT, args={"import_id": imported.pk}, max_attempts=max_attempts)


def refuse_job_ids(filename: str, *, file_format: str) -> None:
    """Raise InvalidInput, with what to do instead, for the list of jobs that the original bot kept."""
    if file_format == JOB_IDS:
        raise InvalidInput(
            f"{filename} holds job ids and no examples. "
            "Keep them by `manage.py importjobs`, or on the page of the upload."
        )


def keep_job_ids(imported: DatasetImport, *, actor: User | None) -> int:
    """Keep the jobs of a checked `job_ids.json` of the original bot; how many were new."""
    if imported.state != State.CHECKED or imported.file_format != JOB_IDS:
        raise Conflict(f"{imported.filename} is no list of job ids, or was kept already.")
    n_new = legacy.import_job_ids(moving.path_of(imported), filename=imported.filename, actor=actor)
    moving.end(imported, State.IMPORTED)
    return n_new


def import_file(
    path: Path,
    *,
    name: str,
    filename: str = "",
    file_format: str = "",
    options: dict[str, Any] | None = None,
    target: str = "",
    source: str = Provenance.Source.COMMAND,
    created_by: User | None = None,
    author: str = "",
    licence: str = "",
    skip_faulty: bool = False,
    freeze: bool = True,
    progress: moving.Listener | None = None,
    surveyed: Callable[[dict[str, Any]], None] | None = None,
) -> DatasetVersion:
    """Check and import a file of this machine here and now; the version that it became.

    The steps are the tasks of an upload, so that a running system's worker
    goes on with them if this process is killed. A file with the same rows as
    the newest frozen version makes no second one. progress(step, share)
    is called now and then, share from 0 to 1. surveyed is told what the file
    would cost, repeat and give away, before a row is stored. Raises
    DatasetRefused with the problems by line, InvalidInput for an unusable name
    or a file that is none of ours, OSError when it cannot be read.
    """
    name = clean_name(name)
    readable(path)
    imported = DatasetImport.objects.create(
        filename=_clean_filename(filename or path.name),
        path=str(path.resolve()),
        file_format=file_format,
        options=options or {},
        target=target,
        created_by=created_by,
        n_bytes=path.stat().st_size,
        state=State.RECEIVED,
    )
    try:
        # A person waits: what cannot be stored now is said now, not tried again.
        _run(start_check(imported, max_attempts=1), imported, progress)
        if surveyed is not None and imported.report.get("n_examples"):
            surveyed(surveying.of_import(imported))
        storing = _start_or_end(
            imported,
            name=name,
            actor=created_by,
            source=source,
            author=author,
            licence=licence,
            skip_faulty=skip_faulty,
            freeze=freeze,
            max_attempts=1,
        )
        _run(storing, imported, progress)
    except KeyboardInterrupt:
        # Whoever stops the command stops the import; no worker is to go on with it.
        imported.refresh_from_db()
        if not imported.is_over:
            cancel(imported, actor=created_by)
        raise
    if imported.version is None:
        raise Conflict(f"{imported.filename} was not imported: {imported.get_state_display()}.")
    return imported.version


def refuse_faults(imported: DatasetImport, *, skip_faulty: bool) -> None:
    """Raise DatasetRefused for a checked file that may not be imported as it is."""
    if not imported.file_format:
        problem = imported.detected.get("problem") or {}
        said = problem.get("message") or "it cannot be told what it is. Name its format."
        raise InvalidInput(f"{imported.filename}: {said} Nothing was stored.")
    report = moving.report_of(imported)
    if report.ok or (skip_faulty and report.n_examples):
        return
    raise DatasetRefused(_refusal(imported.filename, report), report)


def clean_name(name: str) -> str:
    """A dataset's name in its one spelling. Raises InvalidInput for one that cannot be."""
    cleaned = " ".join(name.split())
    if not cleaned:
        raise InvalidInput("A dataset needs a name.")
    if len(cleaned) > MAX_NAME:
        raise InvalidInput("The name of a dataset has 120 characters at most.")
    if not cleaned.isprintable():
        raise InvalidInput("The name of a dataset has letters, digits, signs and spaces only.")
    return cleaned


def _start_or_end(imported: DatasetImport, **given: Any) -> Task:
    """Start the import, or end it with the reason: a command leaves nothing to be gone on with."""
    try:
        return start_import(imported, **given)
    except InvalidInput as error:
        moving.end(imported, State.FAILED, error=str(error))
        raise


def _run(task: Task, imported: DatasetImport, progress: moving.Listener | None) -> None:
    """Run one step in this process; its failure becomes the caller's."""
    heard = progress or (lambda step, share: None)
    token = moving.listener.set(progress)
    try:
        # Where a running system's worker was quicker, this one watches its row.
        tasks.run_until_finished(task, each_try=lambda row: heard(row.step, row.progress))
    finally:
        moving.listener.reset(token)
    imported.refresh_from_db()
    if imported.state == State.FAILED:
        raise InvalidInput(imported.error)
    if imported.state == State.CANCELLED:
        raise Conflict(f"The import of {imported.filename} was cancelled.")
    if task.state != Task.State.SUCCEEDED:
        raise InvalidInput(task.error or f"{imported.filename} was not imported.")


def _clean_filename(filename: str) -> str:
    name = "".join(each for each in Path(filename).name if each.isprintable())
    return name[:255] or "file"


def _refusal(filename: str, report: Report) -> str:
    first = report.first_error
    if first is None:
        return f"{filename} has no examples. Nothing was stored."
    more = f" ({report.n_errors - 1:,} more errors.)" if report.n_errors > 1 else ""
    return f"{filename}: {first.message}{more} Nothing was stored."
