"""The real model server with one thing added: on each line of stdin its store is seeded anew.

OpenAI's tests were written for a mock that has every id at any time: they
retrieve, cancel and delete the same few ids over and over. So before each of
them the plugin beside this file writes the test's name here, and waits for
the line that says that the rows are there. Jobs rest meanwhile: a trainer
would move them under the eyes of the tests.
"""

import sys
import threading
from collections.abc import Iterable
from typing import Any

from seeds import seed

from trainerbot.modelserver import __main__ as modelserver
from trainerbot.modelserver.records import StoredJob
from trainerbot.modelserver.store import Store


class SeededStore(Store):
    """The store of the server, which listens for whoever wants it seeded."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        threading.Thread(target=self._listen, daemon=True).start()

    def oldest_job(self, statuses: Iterable[str]) -> StoredJob | None:
        """No job is ever due."""
        return None

    def _listen(self) -> None:
        for line in sys.stdin:
            seed(self, line.strip())
            sys.stdout.write("seeded\n")
            sys.stdout.flush()


if __name__ == "__main__":
    modelserver.Store = SeededStore  # type: ignore[misc]  # the same, with a listener
    modelserver.main()
