"""One of each program to a data folder: a second `up` would fight the first for rows and locks."""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator

from django.conf import settings

from dashboard.services.preparation import folder_failures_in_words, turn
from trainerbot.errors import Conflict


@contextlib.contextmanager
def the_only_one(names: Iterable[str]) -> Iterator[None]:
    """Run the block as the only supervisor of the programs `names` on this data folder.

    Raises Conflict when another runs one of them, on whatever ports. A killed
    supervisor's hold ends with it. Raises DataFolderUnusable, too.
    """
    with contextlib.ExitStack() as holds:
        for name in sorted(names):
            with folder_failures_in_words(), _refusal(name):
                holds.enter_context(turn(f"up-{name}.lock", timeout_s=0.0))
        yield


@contextlib.contextmanager
def _refusal(name: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        raise Conflict(
            f"TrainerBot already runs on the data folder {settings.DATA_DIR} ({name}). "
            "Use that one, stop it, or name another folder by TRAINERBOT_DATA."
        ) from error
