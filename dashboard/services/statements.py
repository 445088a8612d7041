"""Statements that are written once, for what stands between a message on Discord and its answer.

Django looks at each statement anew: its placeholders, its wrappers, its thread.
That takes longer than SQLite takes to carry it out.
"""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper


class Statement:
    """One statement with %s in the place of each value, and no other percent sign.

    Values are what the database's driver takes.
    """

    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._for_sqlite = sql.replace("%s", "?")

    def rows(self, *values: Any) -> list[tuple[Any, ...]]:
        """Carry it out; the rows that it returns."""
        database = connections[DEFAULT_DB_ALIAS]
        if is_plain_sqlite(database):
            with database.wrap_database_errors:
                rows: list[tuple[Any, ...]] = database.connection.execute(
                    self._for_sqlite, values
                ).fetchall()
                return rows
        with database.cursor() as cursor:
            cursor.execute(self._sql, values)
            return list(cursor.fetchall())

    def n_changed(self, *values: Any) -> int:
        """Carry it out; how many rows it changed."""
        database = connections[DEFAULT_DB_ALIAS]
        if is_plain_sqlite(database):
            with database.wrap_database_errors:
                return int(database.connection.execute(self._for_sqlite, values).rowcount)
        with database.cursor() as cursor:
            cursor.execute(self._sql, values)
            return int(cursor.rowcount)


def is_plain_sqlite(database: BaseDatabaseWrapper) -> bool:
    """Whether a statement may go to SQLite's driver itself: nobody counts or wraps statements.

    The connection is open then.
    """
    if database.vendor != "sqlite" or database.execute_wrappers or database.queries_logged:
        return False
    database.validate_no_broken_transaction()
    database.ensure_connection()
    return True
