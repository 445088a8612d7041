"""Datasets: imported whole or not at all, never changed afterwards."""

import hashlib
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.db.models import Max
from django.utils.timezone import now

from dashboard.models import Dataset, DatasetVersion, Example
from dashboard.services import audit, outbox
from trainerbot.errors import Conflict, InvalidInput, NotFound
from trainerbot.formats import (
    ChatExample,
    Problem,
    Report,
    check_chat_jsonl,
    parse_prompt,
    read_chat_jsonl,
)

log = logging.getLogger(__name__)

TOPIC = "datasets"
BATCH = 500
LONGEST_IMPORT = timedelta(hours=2)  # after that it must have been killed
CHAT_JSONL = "chat-jsonl"


class DatasetRefused(InvalidInput):
    """A file has faults; nothing of it was stored. `report` lists them by line."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


def check(path: Path) -> Report:
    """Read the whole file and say what is wrong with it, line by line. Stores nothing."""
    if path.exists() and not path.is_file() and not path.is_dir():
        # It is read more than once, which a pipe does not bear.
        raise InvalidInput(f"{path.name} is a pipe or a device. Save its content to a file first.")
    return check_chat_jsonl(path, max_bytes=settings.MAX_UPLOAD_BYTES)


def named(name: str) -> Dataset:
    dataset = Dataset.objects.current().filter(name=" ".join(name.split())).first()
    if dataset is None:
        raise NotFound(
            f"There is no dataset {name!r}. `importdataset PATH --name {name}` makes it."
        )
    return dataset


def import_file(
    path: Path,
    *,
    name: str,
    filename: str = "",
    source: str = Example.Source.UPLOAD,
    created_by: User | None = None,
    author: str = "",
) -> DatasetVersion:
    """Store the rows of a chat JSONL file as the next version of the dataset `name`.

    All rows or none; until all are stored nobody sees any. A file with the
    same rows as the newest version makes no second one; that version is
    returned. Raises DatasetRefused with the problems by line, InvalidInput
    for an unusable name, Conflict when the file changes under the reader,
    OSError when it cannot be read.
    """
    name = _clean_name(name)
    report = check(path)
    if not report.ok:
        raise DatasetRefused(_refusal(filename or path.name, report), report)
    digest, n_bytes = _digest(path)
    who = author or (created_by.get_username() if created_by else "command line")
    with transaction.atomic():
        # Out of the lists until its first version is whole.
        dataset, created = Dataset.objects.select_for_update().get_or_create(
            name=name, defaults={"created_by": created_by, "archived_at": now()}
        )
        latest = dataset.latest()
        if latest is not None and latest.sha256 == digest:
            if dataset.archived_at is not None:
                _show(dataset, created=False)
            return latest
        version = DatasetVersion.everything.create(
            dataset=dataset,
            number=_next_number(dataset),
            sha256=digest,
            n_examples=report.n_examples,
            n_bytes=n_bytes,
            n_warnings=report.n_problems,
            problems=[_problem_row(problem) for problem in report.problems[:200]],
            file_format=CHAT_JSONL,
            source_filename=(filename or path.name)[:255],
            created_by=created_by,
            is_whole=False,
        )
    try:
        _store_rows(version, path, source=source, author=who)
        _complete(version, author=who, created=created)
    except BaseException:
        _discard_after_failure(version)
        raise
    return version


def forget_unfinished() -> None:
    """Delete the rows of imports that were killed before their end. Nobody has seen them."""
    for version in DatasetVersion.everything.filter(
        is_whole=False, created_at__lt=now() - LONGEST_IMPORT
    ):
        _discard(version)


def _store_rows(version: DatasetVersion, path: Path, *, source: str, author: str) -> None:
    """Store every row of the file, a batch a transaction: others write in between.

    In one transaction 100 MiB kept everybody else from writing for 22 s, chat included.
    """
    stored = hashlib.sha256()
    rows = enumerate(_examples(path))
    while batch := list(islice(rows, BATCH)):
        for _, row in batch:
            stored.update(canonical(row.record).encode())
        Example.objects.bulk_create(
            _example(version, position, row, source=source, author=author)
            for position, row in batch
        )
    if stored.hexdigest() != version.sha256:
        raise Conflict(f"{version.source_filename} changed while it was read. Import it again.")


@transaction.atomic
def _complete(version: DatasetVersion, *, author: str, created: bool) -> None:
    """Show a version all of whose rows are stored."""
    unfinished = DatasetVersion.everything.filter(pk=version.pk, is_whole=False)
    if not unfinished.update(is_whole=True):
        raise Conflict(f"Storing {version.source_filename} took too long. Import it again.")
    version.is_whole = True
    audit.record(
        version.created_by,
        "dataset.import",
        str(version),
        name=author,
        n_examples=version.n_examples,
        sha256=version.sha256,
    )
    _show(version.dataset, created=created)


def _show(dataset: Dataset, *, created: bool) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(archived_at=None)
    dataset.archived_at = None
    outbox.publish(TOPIC, "dataset.changed", id=dataset.pk, created=created)


def _next_number(dataset: Dataset) -> int:
    taken = DatasetVersion.everything.filter(dataset=dataset).aggregate(last=Max("number"))["last"]
    return (taken or 0) + 1


def _discard_after_failure(version: DatasetVersion) -> None:
    try:
        _discard(version)
    except DatabaseError:
        # The failure itself is what a person must hear; `forget_unfinished` comes later.
        log.warning("The rows of an import that failed could not be deleted yet: %s", version)


def _discard(version: DatasetVersion) -> None:
    rows = Example.objects.filter(version=version)
    while batch := list(rows.values_list("pk", flat=True)[:BATCH]):
        Example.objects.filter(pk__in=batch).delete()
    with transaction.atomic():
        DatasetVersion.everything.filter(pk=version.pk).delete()
        if not DatasetVersion.everything.filter(dataset=version.dataset_id).exists():
            Dataset.objects.filter(pk=version.dataset_id, archived_at__isnull=False).delete()


@transaction.atomic
def archive(dataset: Dataset, *, actor: User | None) -> None:
    """Take a dataset out of the lists. Its versions stay, for the jobs that trained on them."""
    Dataset.objects.filter(pk=dataset.pk).update(archived_at=now())
    audit.record(actor, "dataset.delete", str(dataset))
    outbox.publish(TOPIC, "dataset.changed", id=dataset.pk)


def lines(version: DatasetVersion) -> Iterator[str]:
    """The rows of a version as canonical JSON lines, in order, each ending in a newline."""
    records = version.examples.order_by("position").values_list("record", flat=True)
    for record in records.iterator(chunk_size=BATCH):
        yield canonical(record)


def write_jsonl(version: DatasetVersion, path: Path) -> None:
    """Write the training file of a version. Its SHA-256 is the version's."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines(version))


def canonical(record: dict[str, Any]) -> str:
    """One row in the one spelling that is hashed: sorted keys, no spaces.

    PostgreSQL does not keep the order of keys, so it cannot be part of it.
    """
    row = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return row + "\n"


def _digest(path: Path) -> tuple[str, int]:
    digest, n_bytes = hashlib.sha256(), 0
    for row in _examples(path):
        line = canonical(row.record).encode()
        digest.update(line)
        n_bytes += len(line)
    return digest.hexdigest(), n_bytes


def _examples(path: Path) -> Iterator[ChatExample]:
    return (row for row in read_chat_jsonl(path) if isinstance(row, ChatExample))


def _example(
    version: DatasetVersion, position: int, row: ChatExample, *, source: str, author: str
) -> Example:
    question, answer = parse_prompt(row.messages)
    return Example(
        version=version,
        position=position,
        line=row.line,
        record=row.record,
        question=question or "",
        answer=answer or "",
        source=source,
        author=author,
    )


def _problem_row(problem: Problem) -> dict[str, Any]:
    return {
        "line": problem.line,
        "code": problem.code,
        "message": problem.message,
        "severity": problem.severity,
        "column": problem.column,
    }


def _clean_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not cleaned:
        raise InvalidInput("A dataset needs a name.")
    if len(cleaned) > 120:
        raise InvalidInput("The name of a dataset has 120 characters at most.")
    if not cleaned.isprintable():
        raise InvalidInput("The name of a dataset has letters, digits, signs and spaces only.")
    return cleaned


def _refusal(filename: str, report: Report) -> str:
    first = report.first_error
    if first is None:
        return f"{filename} has no examples. Nothing was stored."
    more = f" ({report.n_errors - 1:,} more errors.)" if report.n_errors > 1 else ""
    return f"{filename}: {first.message}{more} Nothing was stored."
