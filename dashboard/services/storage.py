"""What disk and database can hold, and their failures in words."""

import contextlib
import errno
import re
from collections.abc import Iterator
from typing import Final

from django.db import DatabaseError, InterfaceError, OperationalError

from trainerbot.errors import InvalidInput, StorageFull, TrainerBotError

DISK_FULL: Final = "The disk is full. Nothing was half stored; make room and try again."
# EFBIG is what a limit on the size of files says.
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# The words of SQLite and PostgreSQL for a table that no migration has made yet.
_NO_TABLE: Final = re.compile(r"no such (table|column)|(relation|column) .* does not exist")
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


class DatabaseUnavailable(TrainerBotError):
    """The rows cannot be reached, or not be written, just now."""

    retryable = True


class DatabaseRefused(TrainerBotError):
    """The database did not take what was to be stored. Nothing of it was."""


def holds(text: str) -> bool:
    """Whether every database stores `text`: none takes a NUL or half of a surrogate pair."""
    return _UNSTORABLE.search(text) is None


def check_text(text: str, *, what: str) -> None:
    """Raise InvalidInput when no database `holds` it. what: "The note", as the sentence begins."""
    if not holds(text):
        raise InvalidInput(f"{what} holds characters that are no text. Remove them.")


def storable(text: str) -> str:
    """Return `text` with a replacement character for whatever no database takes."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def is_full(error: BaseException | None) -> bool:
    """Whether a full disk is behind `error`."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        if isinstance(error, DatabaseError) and "disk is full" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def in_words(error: BaseException | None) -> TrainerBotError | None:
    """StorageFull, DatabaseUnavailable or DatabaseRefused for what `error` is; None for others."""
    if is_full(error):
        return StorageFull(DISK_FULL)
    if isinstance(error, DatabaseError | InterfaceError):
        return _of_database(error)
    return None


@contextlib.contextmanager
def failures_in_words() -> Iterator[None]:
    """Raise what `in_words` makes of the block's failures."""
    try:
        yield
    except (DatabaseError, InterfaceError, OSError) as error:
        told = in_words(error)
        if told is None:
            raise
        raise told from error


def _of_database(error: DatabaseError | InterfaceError) -> TrainerBotError:
    said = str(error)
    if "locked" in said:
        return DatabaseUnavailable(
            "The database is busy: another process has been writing to it for too long. "
            "Nothing was stored; try again in a moment."
        )
    if _NO_TABLE.search(said):
        return DatabaseUnavailable(
            "The database is not up to date with the program. Run `python3 run.py manage migrate`."
        )
    if "readonly" in said or "read-only" in said:
        return DatabaseUnavailable(
            "The database may only be read. Check who owns the data folder and may write to it."
        )
    if isinstance(error, OperationalError | InterfaceError):
        return DatabaseUnavailable(
            "The database cannot be reached, read or written. Check DATABASE_URL, and that the "
            "disk works and is not full."
        )
    return DatabaseRefused("The database did not take this. Nothing was stored.")
