"""The trainer's process: a Task as JSON on stdin, a line of JSON on stdout for all that happens.

It ends as soon as its server does: then its stdin is closed.
"""

import os

from trainerbot.errors import StorageFull
from trainerbot.modelserver.blobs import disk_full_in_words
from trainerbot.modelserver.trainers import knn
from trainerbot.modelserver.trainers.line import Reports, end_with_server, read_task
from trainerbot.modelserver.trainers.methods import METHODS
from trainerbot.modelserver.trainers.task import Refused


def main() -> None:
    """Run one task to its end."""
    if hasattr(os, "nice"):
        os.nice(5)  # answers come before training
    task = read_task()
    end_with_server()
    if METHODS[task.method].changes_weights:
        # Imported here: a job of method knn needs none of it.
        from trainerbot.modelserver.trainers.lora.launching import launch

        launch(task)
        return
    reports = Reports()
    try:
        with disk_full_in_words():
            for report in knn.train(task):
                reports.tell(report)
    except StorageFull as error:
        reports.tell(Refused("insufficient_storage", str(error)))


if __name__ == "__main__":
    main()
