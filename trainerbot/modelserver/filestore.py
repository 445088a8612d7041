"""Files and tuned models: rows that name blobs."""

import contextlib
import dataclasses
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trainerbot.errors import NotFound, TrainerBotError
from trainerbot.modelserver.blobs import Blobs, Draft
from trainerbot.modelserver.database import Database, new_id, now
from trainerbot.modelserver.records import Page, StoredFile, StoredModel

_FILE = "id, sha256, n_bytes, filename, purpose, created_at, expires_at"
# Before the next sweep an expired file is there, but nobody's.
_ALIVE = "(expires_at IS NULL OR expires_at > ?)"
_MODEL = "id, created_at, base_model, method, job_id"
# Every blob that a row needs.
_NAMED = (
    "SELECT sha256 FROM files UNION SELECT sha256 FROM model_files"
    " UNION SELECT sha256 FROM upload_parts"
)


class QuotaExceeded(TrainerBotError):
    """All files together would hold more bytes than this server was started to keep."""


class FileStore(Database):
    """A blob lives as long as a row names it; rows and blobs change under one lock."""

    def __init__(self, folder: Path, *, max_stored_bytes: int | None = None) -> None:
        super().__init__(folder / "store.sqlite3")
        self.blobs = Blobs(folder)
        self._max_stored_bytes = max_stored_bytes
        # Blobs that the running transaction takes from their last row, and new ones.
        self._unnamed: set[str] = set()
        self._kept: set[str] = set()
        # A killed process may have left a blob that no row came to name.
        self.blobs.sweep({row[0] for row in self._db.execute(_NAMED)})

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            self._unnamed.clear()
            self._kept.clear()
            try:
                with super()._writing():
                    yield
            except BaseException:
                # The rows are as they were, and may not name what was kept for new ones.
                self._unnamed.clear()
                for sha256 in self._kept:
                    self._drop_blob(sha256)
                raise
            finally:
                # Only now: until the commit a row may still need its blob.
                for sha256 in self._unnamed:
                    self.blobs.remove(sha256)

    def add_file(
        self, draft: Draft, *, filename: str, purpose: str, expires_after_s: int | None = None
    ) -> StoredFile:
        """Keep `draft` as a new file, for so many seconds or until it is deleted.

        Raises QuotaExceeded.
        """
        with self._writing():
            self._need_room(draft.n_bytes)
            return self._add_file(
                draft, filename=filename, purpose=purpose, expires_after_s=expires_after_s
            )

    def _add_file(
        self, draft: Draft, *, filename: str, purpose: str, expires_after_s: int | None = None
    ) -> StoredFile:
        made_at = now()
        row = StoredFile(
            id=new_id("file-"),
            sha256=draft.sha256,
            n_bytes=draft.n_bytes,
            filename=filename,
            purpose=purpose,
            created_at=made_at,
            expires_at=None if expires_after_s is None else made_at + expires_after_s,
        )
        self._keep(draft)
        self._db.execute(
            f"INSERT INTO files ({_FILE}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            dataclasses.astuple(row),
        )
        return row

    def file(self, file_id: str) -> StoredFile:
        """Return the file. Raises NotFound, also from the second on in which it expired."""
        with self._lock:
            row = self._db.execute(
                f"SELECT {_FILE} FROM files WHERE id = ? AND {_ALIVE}", (file_id, now())
            ).fetchone()
        if row is None:
            raise NotFound(f"No such File object: {file_id}")
        return StoredFile(**row)

    def n_stored_bytes(self) -> int:
        """Return how much the files and the parts of pending uploads hold together."""
        with self._lock:
            (n,) = self._db.execute(
                "SELECT (SELECT coalesce(sum(n_bytes), 0) FROM files)"
                " + (SELECT coalesce(sum(n_bytes), 0) FROM upload_parts)"
            ).fetchone()
        return int(n)

    def _need_room(self, n_bytes: int) -> None:
        limit = self._max_stored_bytes
        if limit is not None and self.n_stored_bytes() + n_bytes > limit:
            raise QuotaExceeded(
                "You have exceeded your file storage quota. Max total size is "
                f"{limit / 1024**3:.2f} GB. Delete files that you no longer need."
            )

    def expire_files(self) -> int:
        """Forget the files whose time is over; return how many that were."""
        with self._writing():
            rows = self._db.execute(
                "DELETE FROM files WHERE expires_at <= ? RETURNING sha256", (now(),)
            ).fetchall()
            for sha256 in {row["sha256"] for row in rows}:
                self._drop_blob(sha256)
            return len(rows)

    def files(
        self,
        *,
        after: str | None = None,
        limit: int = 10_000,
        newest_first: bool = True,
        purpose: str | None = None,
    ) -> Page[StoredFile]:
        """Return the files that follow `after`. Raises InvalidInput when that is no file."""
        where: list[tuple[str, Any]] = [(_ALIVE, now())]
        if purpose is not None:
            where.append(("purpose = ?", purpose))
        rows = self._page("files", _FILE, where, after, limit, newest_first=newest_first)
        return Page([StoredFile(**row) for row in rows[:limit]], len(rows) > limit)

    def delete_file(self, file_id: str) -> None:
        """Forget the file, and its blob when nothing else has the same content."""
        with self._writing():
            row = self.file(file_id)
            self._db.execute("DELETE FROM files WHERE id = ?", (file_id,))
            self._drop_blob(row.sha256)

    def _keep(self, draft: Draft) -> None:
        """Make a blob of `draft`, for the row that this transaction adds."""
        self._kept.add(draft.sha256)
        self.blobs.keep(draft)

    def _drop_blob(self, sha256: str) -> None:
        named = self._db.execute(f"SELECT 1 FROM ({_NAMED}) WHERE sha256 = ?", (sha256,))
        if named.fetchone() is None:
            self._unnamed.add(sha256)

    @contextlib.contextmanager
    def _drafts(self, files: Mapping[str, bytes | Path]) -> Iterator[dict[str, Draft]]:
        """Yield a draft of each content or file; remove those that did not become a blob."""
        drafts: dict[str, Draft] = {}
        try:
            for name, source in files.items():
                drafts[name] = (
                    self.blobs.copy(source)
                    if isinstance(source, Path)
                    else self.blobs.write(source)
                )
            yield drafts
        finally:
            for draft in drafts.values():
                draft.path.unlink(missing_ok=True)

    def _add_model(
        self,
        *,
        model_id: str,
        base_model: str,
        method: str,
        job_id: str,
        files: Mapping[str, Draft],
    ) -> None:
        self._db.execute(
            f"INSERT INTO models ({_MODEL}) VALUES (?, ?, ?, ?, ?)",
            (model_id, now(), base_model, method, job_id),
        )
        for name, draft in files.items():
            self._keep(draft)
            self._db.execute(
                "INSERT INTO model_files (model_id, name, sha256) VALUES (?, ?, ?)",
                (model_id, name, draft.sha256),
            )

    def model(self, model_id: str) -> StoredModel | None:
        """Return the tuned model, or None."""
        with self._lock:
            row = self._db.execute(
                f"SELECT {_MODEL} FROM models WHERE id = ?", (model_id,)
            ).fetchone()
            return None if row is None else self._model(row)

    def models(self) -> list[StoredModel]:
        """Return the tuned models, oldest first."""
        with self._lock:
            rows = self._db.execute(f"SELECT {_MODEL} FROM models ORDER BY seq").fetchall()
            return [self._model(row) for row in rows]

    def _model(self, row: sqlite3.Row) -> StoredModel:
        named = self._db.execute(
            "SELECT name, sha256 FROM model_files WHERE model_id = ?", (row["id"],)
        )
        return StoredModel(**row, files=dict(named.fetchall()))

    def delete_model(self, model_id: str) -> bool:
        """Forget the tuned model; False when there is none."""
        with self._writing():
            return self._delete_model(model_id)

    def _delete_model(self, model_id: str) -> bool:
        row = self.model(model_id)
        if row is None:
            return False
        self._db.execute("DELETE FROM models WHERE id = ?", (model_id,))
        self._db.execute("DELETE FROM model_files WHERE model_id = ?", (model_id,))
        self._db.execute("DELETE FROM permissions WHERE checkpoint = ?", (model_id,))
        # A checkpoint is nothing but its model.
        self._db.execute("DELETE FROM checkpoints WHERE model_id = ?", (model_id,))
        for sha256 in set(row.files.values()):
            self._drop_blob(sha256)
        return True
