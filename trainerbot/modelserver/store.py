"""What the server knows: files, jobs, events, tuned models, in SQLite and a folder of blobs.

Nothing here is for the event loop: every call may wait for the disk.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from trainerbot.errors import Conflict, NotFound
from trainerbot.modelserver.checkpointstore import CheckpointStore
from trainerbot.modelserver.completionstore import CompletionStore
from trainerbot.modelserver.database import having, new_id, now
from trainerbot.modelserver.permissionstore import PermissionStore
from trainerbot.modelserver.records import ACTIVE, Page, StoredEvent, StoredJob

_JOB = (
    "id, created_at, status, model, method, hyperparameters, seed, training_file, "
    "validation_file, suffix, metadata, fine_tuned_model, finished_at, trained_tokens, "
    "result_files, error, integrations, estimated_finish, result"
)
_JSON = ("hyperparameters", "metadata", "result_files", "error", "integrations", "result")
_EVENT = "id, created_at, level, message, type, data"


class Store(CheckpointStore, CompletionStore, PermissionStore):
    """The whole memory of one server, in one folder.

    Every method that writes may raise StorageFull; then nothing of the call
    was stored.
    """

    def add_job(
        self,
        *,
        model: str,
        method: str,
        hyperparameters: dict[str, Any],
        seed: int,
        training_file: str,
        validation_file: str | None,
        suffix: str | None,
        metadata: dict[str, str] | None,
        integrations: list[dict[str, Any]] | None = None,
    ) -> StoredJob:
        """Store a new job, with its first event."""
        job_id = new_id("ftjob-")
        with self._writing():
            self._db.execute(
                "INSERT INTO jobs (id, created_at, status, model, method, hyperparameters, seed,"
                " training_file, validation_file, suffix, metadata, integrations)"
                " VALUES (?, ?, 'validating_files', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    job_id,
                    now(),
                    model,
                    method,
                    json.dumps(hyperparameters),
                    seed,
                    training_file,
                    validation_file,
                    suffix,
                    None if metadata is None else json.dumps(metadata),
                    json.dumps(integrations or []),
                ),
            )
            self._add_event(job_id, "created", f"Created fine-tuning job: {job_id}")
            return self.job(job_id)

    def job(self, job_id: str) -> StoredJob:
        """Return the job. Raises NotFound."""
        with self._lock:
            row = self._db.execute(f"SELECT {_JOB} FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise NotFound(f"Could not find fine tune: {job_id}")
        return _job(row)

    def jobs(
        self,
        *,
        after: str | None = None,
        limit: int = 20,
        metadata: dict[str, str] | None = None,
        without_metadata: bool = False,
    ) -> Page[StoredJob]:
        """Return the jobs, newest first. Raises InvalidInput when `after` is no job.

        `metadata` keeps those that have all these pairs.
        """
        where = having(metadata)
        if without_metadata:
            where.append(("metadata IS ?", None))
        rows = self._page("jobs", _JOB, where, after, limit, newest_first=True)
        return Page([_job(row) for row in rows[:limit]], len(rows) > limit)

    def oldest_job(self, statuses: Iterable[str]) -> StoredJob | None:
        """Return the longest waiting job in one of `statuses`."""
        wanted = tuple(statuses)
        marks = ", ".join("?" * len(wanted))
        with self._lock:
            row = self._db.execute(
                f"SELECT {_JOB} FROM jobs WHERE status IN ({marks}) ORDER BY seq LIMIT 1", wanted
            ).fetchone()
        return None if row is None else _job(row)

    def n_active_jobs(self) -> int:
        """Return how many jobs are waiting or running."""
        statuses = tuple(status for status in ACTIVE if status != "paused")
        marks = ", ".join("?" * len(statuses))
        with self._lock:
            (n,) = self._db.execute(
                f"SELECT count(*) FROM jobs WHERE status IN ({marks})", statuses
            ).fetchone()
        return int(n)

    def unfinished_jobs(self) -> set[str]:
        """Return the ids of the jobs that are not over."""
        marks = ", ".join("?" * len(ACTIVE))
        with self._lock:
            rows = self._db.execute(f"SELECT id FROM jobs WHERE status IN ({marks})", ACTIVE)
            return {row["id"] for row in rows}

    def advance_job(self, job_id: str, status: str, *, was: str, message: str) -> bool:
        """Move the job from `was` to `status`, with an event; False when it was elsewhere."""
        with self._writing():
            moved = self._db.execute(
                "UPDATE jobs SET status = ? WHERE id = ? AND status = ?", (status, job_id, was)
            ).rowcount
            if moved:
                self._add_event(job_id, status, message)
            return bool(moved)

    def choose_hyperparameters(self, job_id: str, chosen: dict[str, Any]) -> None:
        """Write the values that "auto" became back to the running job."""
        with self._writing():
            self._db.execute(
                "UPDATE jobs SET hyperparameters = ? WHERE id = ? AND status = 'running'",
                (json.dumps(chosen), job_id),
            )

    def estimate_finish(self, job_id: str, at: int | None) -> None:
        """Keep when the running job will be done, in Unix time."""
        with self._writing():
            self._db.execute(
                "UPDATE jobs SET estimated_finish = ? WHERE id = ? AND status = 'running'",
                (at, job_id),
            )

    def pause_job(self, job_id: str) -> StoredJob:
        """Pause the job; one that runs is pausing until `settle_pauses`, and may be asked twice.

        Raises NotFound, and Conflict unless it is queued or running.
        """
        with self._writing():
            job = self.job(job_id)
            if job.status not in ("running", "pausing"):
                return self._paused(job_id, was="queued")
            self._db.execute(
                "UPDATE jobs SET status = 'pausing', estimated_finish = NULL WHERE id = ?",
                (job_id,),
            )
            return self.job(job_id)

    def settle_pauses(self) -> None:
        """Let the jobs that are pausing be paused: nothing works on any of them."""
        with self._writing():
            for row in self._db.execute("SELECT id FROM jobs WHERE status = 'pausing'").fetchall():
                self._paused(row["id"], was="pausing")

    def _paused(self, job_id: str, *, was: str) -> StoredJob:
        return self._move_job(job_id, (was,), "paused", message="Fine-tuning job paused")

    def resume_job(self, job_id: str) -> StoredJob:
        """Queue the paused job again. Raises NotFound, and Conflict when it is not paused."""
        with self._writing():
            return self._move_job(
                job_id, ("paused", "pausing"), "queued", message="Fine-tuning job resumed"
            )

    def _move_job(
        self, job_id: str, was: tuple[str, ...], status: str, *, message: str
    ) -> StoredJob:
        job = self.job(job_id)
        if job.status not in was:
            raise Conflict(
                f"Job {job_id} has status '{job.status}', so it cannot become '{status}'."
            )
        self._db.execute(
            "UPDATE jobs SET status = ?, estimated_finish = NULL WHERE id = ?", (status, job_id)
        )
        # A job may be paused more than once, and each time is an event.
        self._add_event(job_id, new_id(f"{status}:"), message)
        return self.job(job_id)

    def cancel_job(self, job_id: str) -> StoredJob:
        """Cancel the job. Raises NotFound, and Conflict when it is over already."""
        with self._writing():
            job = self.job(job_id)
            if job.status not in ACTIVE:
                raise Conflict(f"Job has already completed: {job_id}")
            self._end_job(job_id, "cancelled")
            self._add_event(job_id, "cancelled", "Fine-tuning job cancelled")
            return self.job(job_id)

    def fail_job(self, job_id: str, *, code: str, message: str, param: str | None) -> None:
        """End the job as failed, unless it is over already."""
        with self._writing():
            if self.job(job_id).status in ACTIVE:
                error = {"code": code, "message": message, "param": param}
                self._end_job(job_id, "failed")
                self._db.execute(
                    "UPDATE jobs SET error = ? WHERE id = ?", (json.dumps(error), job_id)
                )
                self._add_event(job_id, "failed", message, level="error")

    def finish_job(
        self,
        job_id: str,
        *,
        model_id: str,
        files: Mapping[str, bytes | Path],
        results: bytes,
        trained_tokens: int | None,
        result: dict[str, Any] | None = None,
    ) -> None:
        """Store the tuned model and the result file and end the job, all in one transaction.

        `files` are contents, or files to copy. Does nothing when the job was
        cancelled or paused meanwhile.
        """
        with self._drafts(files) as drafts, self._drafts({"": results}) as table, self._writing():
            job = self.job(job_id)
            if job.status != "running":
                return
            self._add_model(
                model_id=model_id,
                base_model=job.model,
                method=job.method,
                job_id=job_id,
                files=drafts,
            )
            file = self._add_file(
                table[""], filename="step_metrics.csv", purpose="fine-tune-results"
            )
            self._end_job(job_id, "succeeded")
            self._db.execute(
                "UPDATE jobs SET fine_tuned_model = ?, trained_tokens = ?, result_files = ?,"
                " result = ? WHERE id = ?",
                (
                    model_id,
                    trained_tokens,
                    json.dumps([file.id]),
                    None if result is None else json.dumps(result),
                    job_id,
                ),
            )
            self._add_event(job_id, "model", "New fine-tuned model created")
            self._add_event(job_id, "succeeded", "The job has successfully completed")

    def _end_job(self, job_id: str, status: str) -> None:
        self._db.execute(
            "UPDATE jobs SET status = ?, finished_at = ?, estimated_finish = NULL WHERE id = ?",
            (status, now(), job_id),
        )

    def record(
        self,
        job_id: str,
        key: str,
        message: str,
        *,
        level: str = "info",
        metrics: dict[str, Any] | None = None,
    ) -> bool:
        """Add an event to an active job; return False when the job is over.

        `key` names what happened within the job. A second event with the same
        key is the same event told again, by a job that started over: it is
        not stored twice.
        """
        with self._writing():
            if self.job(job_id).status not in ACTIVE:
                return False
            self._add_event(job_id, key, message, level=level, metrics=metrics)
            return True

    def _add_event(
        self,
        job_id: str,
        key: str,
        message: str,
        *,
        level: str = "info",
        metrics: dict[str, Any] | None = None,
    ) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO events"
            " (id, job_id, key, created_at, level, message, type, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                new_id("ftevent-"),
                job_id,
                key,
                now(),
                level,
                message,
                "message" if metrics is None else "metrics",
                None if metrics is None else json.dumps(metrics),
            ),
        )

    def events(
        self, job_id: str, *, after: str | None = None, limit: int = 20
    ) -> Page[StoredEvent]:
        """Return the events of a job, newest first. Raises NotFound, InvalidInput as `jobs`."""
        with self._lock:
            self.job(job_id)
            rows = self._page(
                "events", _EVENT, [("job_id = ?", job_id)], after, limit, newest_first=True
            )
        return Page([_event(row) for row in rows[:limit]], len(rows) > limit)

    def metrics(self, job_id: str) -> list[dict[str, Any]]:
        """Return the data of the job's metrics events, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT data FROM events WHERE job_id = ? AND type = 'metrics' ORDER BY seq",
                (job_id,),
            ).fetchall()
        return [json.loads(row["data"]) for row in rows]


def _job(row: sqlite3.Row) -> StoredJob:
    values = dict(row)
    for name in _JSON:
        values[name] = None if values[name] is None else json.loads(values[name])
    return StoredJob(**values)


def _event(row: sqlite3.Row) -> StoredEvent:
    values = dict(row)
    values["data"] = None if values["data"] is None else json.loads(values["data"])
    return StoredEvent(**values)
