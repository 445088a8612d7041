"""Finds the connections to the database that a thread leaves open.

Django keeps one for each thread, and a thread that ends without closing its
own takes it away from everybody: PostgreSQL has a hundred. psycopg warns of it
whenever the garbage is collected, so in the middle of any other test.
"""

import os
import threading
import time
from functools import cache

from asgiref.sync import SyncToAsync
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

PATIENCE_S = 20.0
"""How long a thread may take to end after its test: only one at fault is waited for in vain."""

# By connection, of which Django makes one for each thread: the thread, and the test that it is of.
_opened: dict[BaseDatabaseWrapper, tuple[threading.Thread, str]] = {}


def watch() -> None:
    """Note from now on which thread opens a connection."""
    connection_created.connect(_note, dispatch_uid="tests.left_open")


def _note(connection: BaseDatabaseWrapper, **_: object) -> None:
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    _opened[connection] = threading.current_thread(), test


def connections(*, patience_s: float = PATIENCE_S) -> list[str]:
    """Close what threads have left open, and tell of each in a sentence.

    The threads that last as long as the process keep theirs: the main one, and
    the one in which async code reads and writes rows.
    """
    until = time.monotonic() + patience_s
    told = []
    for connection, (thread, test) in list(_opened.items()):
        if connection.connection is not None and thread not in _lasting():
            while _is_in_use(connection, thread) and time.monotonic() < until:
                thread.join(0.01)
        if connection.connection is None:
            del _opened[connection]
        elif thread not in _lasting():
            del _opened[connection]
            # Not by Django, which lets only the thread itself close it.
            connection.connection.close()
            how = "still runs" if thread.is_alive() else "has ended"
            told.append(
                f"A connection to the database is open that the thread {thread.name!r} opened in "
                f"{test or 'no test'}, and the thread {how}."
            )
    return told


def _is_in_use(connection: BaseDatabaseWrapper, thread: threading.Thread) -> bool:
    return thread.is_alive() and connection.connection is not None


@cache
def _lasting() -> frozenset[threading.Thread]:
    rows = SyncToAsync.single_thread_executor.submit(threading.current_thread)
    return frozenset({threading.main_thread(), rows.result()})
