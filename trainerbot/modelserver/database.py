"""The server's SQLite file: transactions, pages."""

import contextlib
import secrets
import sqlite3
import string
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trainerbot.errors import Conflict, InvalidInput, StorageFull
from trainerbot.modelserver.schema import STEPS


def new_id(prefix: str) -> str:
    """Return a fresh identifier such as OpenAI makes: `prefix` and 24 letters or digits."""
    alphabet = string.ascii_letters + string.digits
    return prefix + "".join(secrets.choice(alphabet) for _ in range(24))


def now() -> int:
    """Return the Unix time in whole seconds, as OpenAI's objects have it."""
    return int(time.time())


def having(metadata: Mapping[str, str] | None) -> list[tuple[str, Any]]:
    """Return the conditions of rows whose metadata have all these pairs, for `_page`."""
    # json_each, as a path could not hold every key that a client may choose.
    return [
        (
            "EXISTS (SELECT 1 FROM json_each(metadata) WHERE key || char(0) || value = ?)",
            f"{key}\0{value}",
        )
        for key, value in (metadata or {}).items()
    ]


class UnknownAfter(InvalidInput):
    """A list shall go on after something that is not in it."""


class Database:
    """One connection behind one lock: one writer, and a read never sees half a change."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        with _full_in_words(), self._damage_in_words():
            self._db.execute("PRAGMA journal_mode=WAL")
            # FULL: a job that was accepted survives a power cut, not only a kill.
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute("PRAGMA foreign_keys=ON")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version > len(STEPS):
                raise Conflict(
                    "The data folder was written by a newer TrainerBot. Update this one."
                )
            for number, step in enumerate(STEPS[version:], start=version + 1):
                self._db.executescript(f"BEGIN; {step} PRAGMA user_version={number}; COMMIT;")

    @contextlib.contextmanager
    def _damage_in_words(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._db.close()
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(
                error, sqlite3.OperationalError
            ):
                raise Conflict(
                    "The database store.sqlite3 in the data folder is damaged. Restore it from a "
                    "backup, or give another folder with --data."
                ) from error
            raise

    def close(self) -> None:
        """Close the connection; nothing can be read or written afterwards."""
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction: all of the block is stored, or none of it."""
        with self._lock, _full_in_words():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # A full disk may have rolled back already.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _page(
        self,
        table: str,
        columns: str,
        where: list[tuple[str, Any]],
        after: str | None,
        limit: int,
        *,
        newest_first: bool,
    ) -> list[sqlite3.Row]:
        """Return up to `limit` + 1 rows, so that the caller sees whether more follow."""
        with self._lock:
            if after is not None:
                found = self._db.execute(
                    f"SELECT seq FROM {table} WHERE id = ?", (after,)
                ).fetchone()
                if found is None:
                    raise UnknownAfter(f"Invalid value for 'after': there is no {after[:200]}.")
                where = [*where, (f"seq {'<' if newest_first else '>'} ?", found["seq"])]
            condition = " AND ".join(text for text, _ in where) or "1"
            order = "DESC" if newest_first else "ASC"
            return self._db.execute(
                f"SELECT {columns} FROM {table} WHERE {condition} ORDER BY seq {order} LIMIT ?",
                (*(value for _, value in where), limit + 1),
            ).fetchall()


@contextlib.contextmanager
def _full_in_words() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise
        raise StorageFull(
            "The disk of the model server is full. Free some space and try again; "
            "nothing was half stored."
        ) from error
