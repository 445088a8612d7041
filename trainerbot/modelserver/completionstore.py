"""Chat completions that a client asked to keep, with the messages that they answer."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from trainerbot.errors import NotFound
from trainerbot.modelserver.database import Database, having
from trainerbot.modelserver.records import Page

_COMPLETION = "id, metadata, completion"


class CompletionStore(Database):
    """Kept until they are deleted. Only their metadata changes."""

    def add_completion(
        self,
        completion: Mapping[str, Any],
        *,
        messages: Sequence[Mapping[str, Any]],
        metadata: Mapping[str, str] | None,
    ) -> None:
        """Keep a chat.completion object. A message without an id gets the completion's and its
        place.
        """
        numbered = [{"id": f"{completion['id']}-{i}", **one} for i, one in enumerate(messages)]
        with self._writing():
            self._db.execute(
                "INSERT INTO completions (id, created_at, model, metadata, messages, completion)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    completion["id"],
                    completion["created"],
                    completion["model"],
                    None if metadata is None else json.dumps(metadata),
                    json.dumps(numbered),
                    json.dumps(completion),
                ),
            )

    def completion(self, completion_id: str) -> dict[str, Any]:
        """Return the chat.completion object, with its metadata. Raises NotFound."""
        return _completion(self._completion_row(completion_id, _COMPLETION))

    def completion_messages(self, completion_id: str) -> list[dict[str, Any]]:
        """Return the messages that the completion answers, in their order. Raises NotFound."""
        row = self._completion_row(completion_id, "messages")
        messages: list[dict[str, Any]] = json.loads(row["messages"])
        return messages

    def _completion_row(self, completion_id: str, columns: str) -> sqlite3.Row:
        with self._lock:
            row: sqlite3.Row | None = self._db.execute(
                f"SELECT {columns} FROM completions WHERE id = ?", (completion_id,)
            ).fetchone()
        if row is None:
            raise NotFound(f"No chat completion found with id '{completion_id}'.")
        return row

    def completions(
        self,
        *,
        after: str | None = None,
        limit: int = 20,
        newest_first: bool = False,
        model: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Page[dict[str, Any]]:
        """Return the completions that follow `after`. Raises InvalidInput when that is none.

        `metadata` keeps those that have all these pairs.
        """
        where = having(metadata)
        if model is not None:
            where.append(("model = ?", model))
        rows = self._page(
            "completions", _COMPLETION, where, after, limit, newest_first=newest_first
        )
        return Page([_completion(row) for row in rows[:limit]], len(rows) > limit)

    def update_completion(
        self, completion_id: str, metadata: Mapping[str, str] | None
    ) -> dict[str, Any]:
        """Put `metadata` in the place of the old, and return the completion. Raises NotFound."""
        with self._writing():
            self._db.execute(
                "UPDATE completions SET metadata = ? WHERE id = ?",
                (None if metadata is None else json.dumps(metadata), completion_id),
            )
            return self.completion(completion_id)

    def delete_completion(self, completion_id: str) -> None:
        """Forget the completion and its messages. Raises NotFound."""
        with self._writing():
            self.completion(completion_id)
            self._db.execute("DELETE FROM completions WHERE id = ?", (completion_id,))


def _completion(row: sqlite3.Row) -> dict[str, Any]:
    completion: dict[str, Any] = json.loads(row["completion"])
    metadata = row["metadata"]
    return {**completion, "metadata": None if metadata is None else json.loads(metadata)}
