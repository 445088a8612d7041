"""What must be so before anything runs: the tables as the code expects them, static files in place."""

import contextlib
import hashlib
import sqlite3
from collections.abc import Callable, Iterator

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.management.commands import collectstatic
from django.core.files.storage import Storage
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from dashboard.services.storage import DatabaseUnavailable
from trainerbot.errors import TrainerBotError

LONGEST_WAIT_S = 120.0


class _CopyAll(collectstatic.Command):
    """Collects without looking at times: an upgraded package's files may be older than our copies."""

    def delete_file(self, path: str, prefixed_path: str, source_storage: Storage) -> bool:
        if self.storage.exists(prefixed_path):
            self.storage.delete(prefixed_path)
        return True


class DataFolderUnusable(TrainerBotError):
    """The data folder cannot be written: full, read-only, or not a folder."""


def prepare(say: Callable[[str], None]) -> None:
    """Apply the migrations that wait and collect the static files if any changed.

    Costs little when there is nothing to do. Processes of one data folder
    take turns, so two may call it at once. Raises DatabaseUnavailable and
    DataFolderUnusable.
    """
    with folder_failures_in_words(), turn("prepare.lock", timeout_s=LONGEST_WAIT_S):
        _migrate(say)
        _collect_static(say)


@contextlib.contextmanager
def turn(name: str, *, timeout_s: float) -> Iterator[None]:
    """Hold the data folder's lock `name` while the block runs; sqlite3.Error if it is not to be had."""
    # An SQLite file of its own is a lock on every system, and falls open when
    # its holder dies.
    path = settings.DATA_DIR / name
    with contextlib.closing(sqlite3.connect(path, timeout=timeout_s, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


@contextlib.contextmanager
def folder_failures_in_words() -> Iterator[None]:
    """Raise DataFolderUnusable for what the block finds wrong with the data folder."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise DataFolderUnusable(
            f"The data folder cannot be used ({reason}). Make room or give the right to write "
            "there, or name another folder by TRAINERBOT_DATA."
        ) from error


def _migrate(say: Callable[[str], None]) -> None:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if waiting:
            say(f"Bringing the database up to date ({len(waiting)} migrations) …")
            call_command("migrate", interactive=False, verbosity=0)
    except DatabaseError as error:
        raise DatabaseUnavailable(
            "The database could not be opened or brought up to date. Check DATABASE_URL, and that "
            "the disk is writable and not full."
        ) from error


def _collect_static(say: Callable[[str], None]) -> None:
    stamp = settings.DATA_DIR / "static.stamp"
    now = _static_digest()
    if stamp.exists() and stamp.read_text(encoding="ascii") == now:
        return
    say("Collecting the static files …")
    call_command(_CopyAll(), interactive=False, verbosity=0)
    stamp.write_text(now, encoding="ascii")


def _static_digest() -> str:
    """Return a digest of every static file's name, size and time, and of how they are stored."""
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    digest.update(str(settings.STATIC_ROOT).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = storage.path(name), storage.size(name), storage.get_modified_time(name)
            digest.update(repr(stat).encode())
    return digest.hexdigest()
