"""Which projects may use a checkpoint: kept and told back. Here every key may use every model."""

from collections.abc import Sequence

from trainerbot.errors import NotFound
from trainerbot.modelserver.database import new_id, now
from trainerbot.modelserver.records import Page, StoredPermission
from trainerbot.modelserver.uploadstore import UploadStore

_PERMISSION = "id, created_at, checkpoint, project_id"


class PermissionStore(UploadStore):
    """One row for each project of a checkpoint."""

    def add_permissions(
        self, checkpoint: str, project_ids: Sequence[str]
    ) -> list[StoredPermission]:
        """Permit these projects; one that is permitted already keeps its row. Raises NotFound."""
        with self._writing():
            self._need_model(checkpoint)
            for project_id in project_ids:
                self._db.execute(
                    f"INSERT OR IGNORE INTO permissions ({_PERMISSION}) VALUES (?, ?, ?, ?)",
                    (new_id("cp_"), now(), checkpoint, project_id),
                )
            wanted = dict.fromkeys(project_ids)
            rows = self._db.execute(
                f"SELECT {_PERMISSION} FROM permissions WHERE checkpoint = ?", (checkpoint,)
            ).fetchall()
            found = {row["project_id"]: StoredPermission(**row) for row in rows}
            return [found[project_id] for project_id in wanted]

    def permissions(
        self,
        checkpoint: str,
        *,
        after: str | None = None,
        limit: int = 10,
        newest_first: bool = True,
        project_id: str | None = None,
    ) -> Page[StoredPermission]:
        """Return a checkpoint's permissions. Raises NotFound, InvalidInput for a wrong `after`."""
        with self._lock:
            self._need_model(checkpoint)
            where = [("checkpoint = ?", checkpoint)]
            if project_id is not None:
                where.append(("project_id = ?", project_id))
            rows = self._page(
                "permissions", _PERMISSION, where, after, limit, newest_first=newest_first
            )
        return Page([StoredPermission(**row) for row in rows[:limit]], len(rows) > limit)

    def delete_permission(self, checkpoint: str, permission_id: str) -> None:
        """Forget the permission. Raises NotFound."""
        with self._writing():
            gone = self._db.execute(
                "DELETE FROM permissions WHERE checkpoint = ? AND id = ?",
                (checkpoint, permission_id),
            ).rowcount
            if not gone:
                raise NotFound(f"No such checkpoint permission: {permission_id}")

    def _need_model(self, checkpoint: str) -> None:
        if self.model(checkpoint) is None:
            raise NotFound(f"No such checkpoint: {checkpoint}")
