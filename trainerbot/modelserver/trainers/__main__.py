"""The trainer's process: a Task as JSON on stdin, a line of JSON on stdout for all that happens.

It ends by itself soon after its server died: then nobody reads its lines.
"""

import os
import sys

import msgspec

from trainerbot.errors import StorageFull
from trainerbot.modelserver.blobs import disk_full_in_words
from trainerbot.modelserver.trainers import knn
from trainerbot.modelserver.trainers.task import Refused, Report, Task


def main() -> None:
    """Run one task to its end."""
    if hasattr(os, "nice"):
        os.nice(5)  # answers come before training
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    try:
        with disk_full_in_words():
            for report in knn.train(task):
                _tell(report)
    except StorageFull as error:
        _tell(Refused("insufficient_storage", str(error)))
    except BrokenPipeError:
        os._exit(1)  # the usual end would complain about the same pipe again


def _tell(report: Report) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
