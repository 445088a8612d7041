"""One server to a data folder: a lock that dies with its process, also by kill -9."""

import sys
from pathlib import Path
from typing import IO

from trainerbot.errors import Conflict


class FolderLock:
    """Held from construction to `close`, or to the end of the process.

    Raises Conflict, in one sentence, when another process holds the folder.
    """

    def __init__(self, folder: Path) -> None:
        # Open as long as the lock is held.
        self._file: IO[bytes] = open(folder / "lock", "a+b")  # noqa: SIM115
        try:
            _lock(self._file)
        except OSError as error:
            self._file.close()
            raise Conflict(
                f"Another model server already uses the data folder {folder}. "
                "Stop that one, or give this one another folder with --data."
            ) from error

    def close(self) -> None:
        """Let the next server in."""
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
