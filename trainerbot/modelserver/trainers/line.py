"""The trainer's line to its server: tasks in, reports out, and the end of both."""

import os
import sys
import threading

import msgspec

from trainerbot.modelserver.trainers.task import Report, Task


def read_task() -> Task:
    """Return the task that the server wrote as one line; stdin stays open behind it."""
    read = bytearray()
    while not read.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            sys.exit(1)
        read += piece
    return msgspec.json.decode(read, type=Task)


def end_with_server() -> None:
    """End this process at once when the server died or wants no more: then stdin is closed.

    Processes that share this stdin see it each for itself.
    """

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="end-with-server").start()


class Reports:
    """Where reports go: the stdout that this process was given, a line of JSON each.

    Whatever else is written to stdout from now on, by libraries, goes to stderr.
    """

    def __init__(self) -> None:
        self._file = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)

    def tell(self, report: Report) -> None:
        """Write one report. A server that reads no more ends this process."""
        try:
            self._file.write(msgspec.json.encode(report) + b"\n")
            self._file.flush()
        except BrokenPipeError:
            os._exit(1)  # the usual end would complain about the same pipe again
