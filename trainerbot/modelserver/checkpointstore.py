"""The checkpoints of jobs: the newest of each job, every one a model that answers."""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainerbot.modelserver.database import new_id, now
from trainerbot.modelserver.filestore import FileStore
from trainerbot.modelserver.records import ACTIVE, Page, StoredCheckpoint

# As OpenAI: the checkpoints of the last three epochs are kept.
_N_KEPT = 3
_CHECKPOINT = "id, created_at, job_id, step, model_id, metrics"


class CheckpointStore(FileStore):
    """Checkpoint rows, which live and die with their models."""

    def add_checkpoint(
        self,
        job_id: str,
        *,
        step: int,
        model_id: str,
        files: Mapping[str, bytes | Path],
        metrics: dict[str, Any],
    ) -> StoredCheckpoint | None:
        """Store the model as it is after `step` steps, and forget all but the last three.

        A step told again, by a job that started over, is the checkpoint that is
        stored already. None when the job is over.
        """
        with self._drafts(files) as drafts, self._lock:
            with self._writing():
                stored = self._checkpoint(job_id, step)
                if stored is not None:
                    return stored
                job = self._db.execute(
                    "SELECT status, model, method FROM jobs WHERE id = ?", (job_id,)
                ).fetchone()
                if job is None or job["status"] not in ACTIVE:
                    return None
                self._add_model(
                    model_id=model_id,
                    base_model=job["model"],
                    method=job["method"],
                    job_id=job_id,
                    files=drafts,
                )
                self._db.execute(
                    f"INSERT INTO checkpoints ({_CHECKPOINT}) VALUES (?, ?, ?, ?, ?, ?)",
                    (new_id("ftckpt_"), now(), job_id, step, model_id, json.dumps(metrics)),
                )
            # Each in a transaction of its own: whatever is left over by a kill
            # goes with the next checkpoint.
            for row in self._db.execute(
                "SELECT model_id FROM checkpoints WHERE job_id = ?"
                " ORDER BY step DESC LIMIT -1 OFFSET ?",
                (job_id, _N_KEPT),
            ).fetchall():
                self.delete_model(row["model_id"])
            return self._checkpoint(job_id, step)

    def _checkpoint(self, job_id: str, step: int) -> StoredCheckpoint | None:
        row = self._db.execute(
            f"SELECT {_CHECKPOINT} FROM checkpoints WHERE job_id = ? AND step = ?", (job_id, step)
        ).fetchone()
        return None if row is None else _as_checkpoint(row)

    def checkpoints(
        self, job_id: str, *, after: str | None = None, limit: int = 10
    ) -> Page[StoredCheckpoint]:
        """Return the job's checkpoints, newest first. Raises InvalidInput when `after` is none."""
        rows = self._page(
            "checkpoints", _CHECKPOINT, [("job_id = ?", job_id)], after, limit, newest_first=True
        )
        return Page([_as_checkpoint(row) for row in rows[:limit]], len(rows) > limit)


def _as_checkpoint(row: sqlite3.Row) -> StoredCheckpoint:
    return StoredCheckpoint(**{**dict(row), "metrics": json.loads(row["metrics"])})
