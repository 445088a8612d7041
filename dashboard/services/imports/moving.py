"""What all steps of an import share: its state, its file, its end."""

import contextlib
import contextvars
import logging
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils.timezone import now

from dashboard.models import DatasetImport, Task
from dashboard.models.tasks import TaskQuerySet
from dashboard.services import outbox, preparation, storage, tasks
from dashboard.services.tasks import Run
from trainerbot.errors import Conflict, InvalidInput, NotFound, TrainerBotError
from trainerbot.formats import Options, Problem, Report

log = logging.getLogger(__name__)

TOPIC = "imports"
State = DatasetImport.State
SAVE_EVERY_S = 0.5
KEPT_PROBLEMS = 1_000
# Who hears of the progress beside the rows: a command that runs the task itself.
Listener = Callable[[str, float], None]
listener: contextvars.ContextVar[Listener | None] = contextvars.ContextVar("listener", default=None)


class DatasetRefused(InvalidInput):
    """A file has faults; nothing of it was stored. `report` lists them by line."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


def topic(imported: DatasetImport) -> str:
    return f"import.{imported.pk}"


def get(key: uuid.UUID | str) -> DatasetImport:
    found = DatasetImport.objects.select_related("dataset", "version").filter(key=key).first()
    if found is None:
        raise NotFound("There is no such import. It may have been deleted.")
    return found


def uploads_folder() -> Path:
    folder: Path = settings.DATA_DIR / "uploads"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def path_of(imported: DatasetImport) -> Path:
    """Where its bytes lie."""
    return Path(imported.path) if imported.path else uploads_folder() / str(imported.key)


@contextlib.contextmanager
def one_sender(imported: DatasetImport) -> Iterator[None]:
    """Let nobody else write the bytes of an upload meanwhile. Raises Conflict when somebody does.

    A sender that lost its connection comes back while what it sent is still
    being written; two hands at one file would mix it up.
    """
    folder = uploads_folder()
    try:
        with preparation.turn(f"{folder.name}/{imported.key}.lock", timeout_s=0.0):
            yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        raise Conflict(
            f"{imported.filename} is being received just now. Go on in a moment."
        ) from error


def stamp_of(imported: DatasetImport) -> list[int]:
    """The size and the time of the file, by which a change is noticed; [] for a folder."""
    stat = path_of(imported).stat()
    return [] if path_of(imported).is_dir() else [stat.st_size, stat.st_mtime_ns]


def options_of(imported: DatasetImport) -> Options:
    given = imported.options
    return Options(
        mapping=given.get("mapping") or {},
        label=given.get("label") or None,
        sheet=given.get("sheet") or None,
    )


@transaction.atomic
def move(imported: DatasetImport, state: str, *, source: str = "", **changes: Any) -> None:
    """Bring an import into `state` with `changes`, and tell open pages.

    source: the state that it must be in; Conflict when somebody else moved it first.
    """
    rows = DatasetImport.objects.filter(pk=imported.pk)
    if source:
        rows = rows.filter(state=source)
    changes |= {"state": state, "updated_at": now()}
    # One statement decides: of two people at once, one is told that the other was first.
    if not rows.update(**changes):
        raise Conflict(f"{imported.filename} has moved on in the meantime. Reload the page.")
    for name, value in changes.items():
        setattr(imported, name, value)
    announce(imported)


def tasks_of(imported: DatasetImport) -> TaskQuerySet:
    """Every task that checks, surveys or stores its file, or did."""
    return Task.objects.filter(kind__startswith="import", args__import_id=imported.pk)


def announce(imported: DatasetImport) -> None:
    outbox.publish(topic(imported), "import.changed", key=str(imported.key), state=imported.state)
    outbox.publish(TOPIC, "import.changed", key=str(imported.key), state=imported.state)


def ticker(run: Run, imported: DatasetImport) -> Callable[[int, int], None]:
    """Return what a long step calls with (done, total): it saves the progress now and then.

    It raises Cancelled when a person asked for a stop, and LeaseLost when
    another worker has taken over.
    """
    pace = tasks.Pace(SAVE_EVERY_S)

    def tick(done: int, total: int) -> None:
        if not pace.is_due():
            return
        share = min(done / total, 1.0) if total else 0.0
        with transaction.atomic():
            run.save(progress=share)
            announce(imported)
        if heard := listener.get():
            heard(run.task.step, share)

    return tick


@contextlib.contextmanager
def ends_in_words(
    imported: DatasetImport, run: Run, *, undo: Callable[[DatasetImport], None] | None = None
) -> Iterator[None]:
    """Let no failure leave an import hanging: what went wrong is written on its page.

    undo: takes back what was stored. It is not called when the step is tried
    again, as while the database is busy, or goes on elsewhere.
    """
    is_last_try = run.task.attempts + 1 >= run.task.max_attempts
    try:
        with storage.failures_in_words():
            yield
    except tasks.LeaseLost:
        raise
    except tasks.Cancelled:
        _give_up(imported, run, State.CANCELLED, undo)
        raise
    except TrainerBotError as error:
        if error.retryable and not is_last_try:
            log.warning("The import %s waits: %s", imported.pk, error)
        else:
            _give_up(imported, run, State.FAILED, undo, error=str(error))
        raise
    except OSError as error:
        gone = InvalidInput(_of_its_file(imported, error))
        _give_up(imported, run, State.FAILED, undo, error=str(gone))
        raise gone from error
    except Exception:
        unforeseen = "It broke in a way that was not foreseen; see the log."
        _give_up(imported, run, State.FAILED, undo, error=unforeseen)
        raise


def _of_its_file(imported: DatasetImport, error: OSError) -> str:
    """Why a file cannot be read, without its place on this machine."""
    match error:
        case FileNotFoundError():
            return f"{imported.filename} is no longer there. Import it again."
        case PermissionError():
            return (
                f"{imported.filename} may not be read by the account that TrainerBot runs under. "
                "Give it the right to, or upload the file."
            )
        case _:
            return f"{imported.filename} cannot be read: {error.strerror or 'the disk failed'}."


def _give_up(
    imported: DatasetImport,
    run: Run,
    state: str,
    undo: Callable[[DatasetImport], None] | None,
    *,
    error: str = "",
) -> None:
    try:
        if not run.is_held():
            # A worker that slept while another went on: what is there now is the other's.
            return
        if undo is not None:
            undo(imported)
        end(imported, state, error=error)
    except DatabaseError:
        # The failure itself is what a person must hear; `forget_unfinished` comes later.
        log.warning("What a failed import has stored could not be deleted yet: %s", imported)


def end(imported: DatasetImport, state: str, *, error: str = "", **changes: Any) -> None:
    """Bring an import to its end and delete the bytes that were received for it."""
    move(imported, state, error=error, **changes)
    delete_file(imported)


def delete_file(imported: DatasetImport) -> None:
    if not imported.path:
        for path in (path_of(imported), path_of(imported).with_suffix(".lock")):
            unlink(path)


def unlink(path: Path) -> None:
    # Windows keeps a file that somebody holds; `forget_unfinished` comes again.
    with contextlib.suppress(PermissionError):
        path.unlink(missing_ok=True)


def report_row(report: Report) -> dict[str, Any]:
    """A report as it is stored with the import."""
    return {
        "ok": report.ok,
        "n_examples": report.n_examples,
        "n_bytes": report.n_bytes,
        "sha256": report.sha256,
        "n_problems": report.n_problems,
        "n_errors": report.n_errors,
        "problems": [problem_row(problem) for problem in report.problems[:KEPT_PROBLEMS]],
        "first_error": problem_row(report.first_error) if report.first_error else None,
    }


def report_of(imported: DatasetImport) -> Report:
    """The stored report again."""
    row = imported.report
    first = row.get("first_error")
    return Report(
        n_examples=row["n_examples"],
        n_bytes=row["n_bytes"],
        sha256=row["sha256"],
        problems=tuple(Problem(**each) for each in row["problems"]),
        n_problems=row["n_problems"],
        n_errors=row["n_errors"],
        first_error=Problem(**first) if first else None,
    )


def problem_row(problem: Problem) -> dict[str, Any]:
    return asdict(problem)
