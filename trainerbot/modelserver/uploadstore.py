"""Uploads: files that come in parts, each part a blob until the whole is a file."""

import hashlib
from collections.abc import Sequence

from trainerbot.errors import Conflict, InvalidInput, NotFound
from trainerbot.modelserver.blobs import Draft
from trainerbot.modelserver.database import new_id, now
from trainerbot.modelserver.filestore import FileStore
from trainerbot.modelserver.records import StoredFile, StoredPart, StoredUpload

UPLOAD_LIFE_S = 3600
_UPLOAD = (
    "id, created_at, expires_at, filename, purpose, mime_type, n_bytes, status, "
    "file_expires_after_s, file_id"
)
_PART = "id, upload_id, created_at, sha256, n_bytes"
_COPY_BYTES = 1024 * 1024


class UploadStore(FileStore):
    """What was promised and what has come. Nothing of it is a file before `complete_upload`."""

    def add_upload(
        self,
        *,
        filename: str,
        purpose: str,
        mime_type: str,
        n_bytes: int,
        file_expires_after_s: int | None,
        life_s: int = UPLOAD_LIFE_S,
    ) -> StoredUpload:
        """Store the promise of a file; it is kept for `life_s` seconds."""
        upload_id, made_at = new_id("upload_"), now()
        with self._writing():
            self._db.execute(
                f"INSERT INTO uploads ({_UPLOAD}) VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, NULL)",
                (
                    upload_id,
                    made_at,
                    made_at + life_s,
                    filename,
                    purpose,
                    mime_type,
                    n_bytes,
                    file_expires_after_s,
                ),
            )
            return self.upload(upload_id)

    def upload(self, upload_id: str) -> StoredUpload:
        """Return the upload. Raises NotFound."""
        with self._lock:
            row = self._db.execute(
                f"SELECT {_UPLOAD} FROM uploads WHERE id = ?", (upload_id,)
            ).fetchone()
        if row is None:
            raise NotFound(f"No such Upload object: {upload_id}")
        return StoredUpload(**row)

    def pending_upload(self, upload_id: str) -> StoredUpload:
        """Return the upload. Raises NotFound, and Conflict when it takes no more parts."""
        upload = self.upload(upload_id)
        if upload.status == "pending" and upload.expires_at <= now():
            raise Conflict(f"Upload {upload_id} has expired. Create a new one.")
        if upload.status != "pending":
            raise Conflict(f"Upload {upload_id} is already {upload.status}. Create a new one.")
        return upload

    def add_part(self, upload_id: str, draft: Draft) -> StoredPart:
        """Keep `draft` as a part. Raises NotFound, Conflict, InvalidInput, QuotaExceeded.

        Parts may hold twice the promised bytes, so that each can be sent again.
        """
        with self._writing():
            upload = self.pending_upload(upload_id)
            (n_sent,) = self._db.execute(
                "SELECT coalesce(sum(n_bytes), 0) FROM upload_parts WHERE upload_id = ?",
                (upload_id,),
            ).fetchone()
            if n_sent + draft.n_bytes > 2 * upload.n_bytes:
                raise InvalidInput(
                    f"The parts of upload {upload_id} hold more than the {upload.n_bytes} bytes "
                    "that it was created for."
                )
            self._need_room(draft.n_bytes)
            part = StoredPart(new_id("part_"), upload_id, now(), draft.sha256, draft.n_bytes)
            self._keep(draft)
            self._db.execute(
                f"INSERT INTO upload_parts ({_PART}) VALUES (?, ?, ?, ?, ?)",
                (part.id, part.upload_id, part.created_at, part.sha256, part.n_bytes),
            )
            return part

    def complete_upload(
        self, upload_id: str, part_ids: Sequence[str], *, md5: str | None
    ) -> tuple[StoredUpload, StoredFile]:
        """Make a file of these parts, in this order.

        Raises NotFound, Conflict, and InvalidInput when a part is not one of
        the upload's, or their bytes do not add up to what was promised, or
        not to the hexadecimal `md5`. Then the upload is as it was.
        """
        upload = self.pending_upload(upload_id)
        parts = self._chosen_parts(upload, part_ids)
        # Not within the transaction: to copy eight gigabytes takes a while.
        draft = self._joined(parts, md5)
        try:
            with self._writing():
                self.pending_upload(upload_id)
                file = self._add_file(
                    draft,
                    filename=upload.filename,
                    purpose=upload.purpose,
                    expires_after_s=upload.file_expires_after_s,
                )
                self._end_upload(upload_id, "completed", file_id=file.id)
                return self.upload(upload_id), file
        except BaseException:
            draft.path.unlink(missing_ok=True)
            raise

    def cancel_upload(self, upload_id: str) -> StoredUpload:
        """Forget the parts. Raises NotFound, and Conflict when the upload is over already."""
        with self._writing():
            self.pending_upload(upload_id)
            self._end_upload(upload_id, "cancelled", file_id=None)
            return self.upload(upload_id)

    def expire_uploads(self) -> int:
        """End the pending uploads whose time is over; return how many that were."""
        with self._writing():
            rows = self._db.execute(
                "SELECT id FROM uploads WHERE status = 'pending' AND expires_at <= ?", (now(),)
            ).fetchall()
            for row in rows:
                self._end_upload(row["id"], "expired", file_id=None)
            return len(rows)

    def _chosen_parts(self, upload: StoredUpload, part_ids: Sequence[str]) -> list[StoredPart]:
        with self._lock:
            rows = self._db.execute(
                f"SELECT {_PART} FROM upload_parts WHERE upload_id = ?", (upload.id,)
            ).fetchall()
        known = {row["id"]: StoredPart(**row) for row in rows}
        for part_id in part_ids:
            if part_id not in known:
                raise InvalidInput(f"Upload {upload.id} has no part {part_id}.")
        if len(set(part_ids)) < len(part_ids):
            raise InvalidInput("Each part can be in 'part_ids' once.")
        parts = [known[part_id] for part_id in part_ids]
        n_bytes = sum(part.n_bytes for part in parts)
        if n_bytes != upload.n_bytes:
            raise InvalidInput(
                f"The parts hold {n_bytes} bytes, but the upload was created for "
                f"{upload.n_bytes}. Send the missing parts, or create a new upload."
            )
        return parts

    def _joined(self, parts: Sequence[StoredPart], md5: str | None) -> Draft:
        checksum = hashlib.md5(usedforsecurity=False)
        writer = self.blobs.draft()
        try:
            for part in parts:
                try:
                    file = open(self.blobs.path(part.sha256), "rb")  # noqa: SIM115 - closed below
                except FileNotFoundError as error:
                    raise Conflict(
                        f"Upload {part.upload_id} was ended while it was being completed."
                    ) from error
                with file:
                    while data := file.read(_COPY_BYTES):
                        checksum.update(data)
                        writer.write(data)
            if md5 is not None and md5.lower() != checksum.hexdigest():
                raise InvalidInput(
                    f"The parts have the MD5 checksum {checksum.hexdigest()}, not {md5}. Send "
                    "them again."
                )
            return writer.finish()
        except BaseException:
            writer.discard()
            raise

    def _end_upload(self, upload_id: str, status: str, *, file_id: str | None) -> None:
        self._db.execute(
            "UPDATE uploads SET status = ?, file_id = ? WHERE id = ?", (status, file_id, upload_id)
        )
        rows = self._db.execute(
            "DELETE FROM upload_parts WHERE upload_id = ? RETURNING sha256", (upload_id,)
        ).fetchall()
        for sha256 in {row["sha256"] for row in rows}:
            self._drop_blob(sha256)
