"""One holder at a time, also between processes."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

LONGEST_S = 3600.0


@contextlib.contextmanager
def hold(path: Path, *, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock `path` inside the block; call `on_wait` once if another process holds it.

    An SQLite file is the lock: the one lock in the standard library that works
    on every system, waits, and falls open when its holder dies.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as file:
        try:
            file.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            on_wait()
            file.execute(f"PRAGMA busy_timeout = {int(LONGEST_S * 1000)}")
            file.execute("BEGIN EXCLUSIVE")
        yield
