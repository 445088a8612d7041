"""`manage.py worker`: runs background tasks until it is told to stop."""

import logging
import os
import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from dashboard.models import ProcessState
from dashboard.services import (
    calls,
    consent,
    drafts,
    examination,
    exports,
    imports,
    leftovers,
    meanings,
    outbox,
    processes,
    requests,
    retirements,
    speech,
    utterances,
)
from dashboard.services.tasks import Worker

log = logging.getLogger(__name__)

HEARTBEAT_S = 5.0
STOP_TIMEOUT_S = 2.0
MOST_THREADS = 64
PRUNE_EVERY = 720  # heartbeats: about an hour
MEND_EVERY = 12  # a minute


class Command(BaseCommand):
    help = "Run background tasks (imports, fine-tunes) until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--threads", type=int, default=2, help="Tasks at a time (2)")

    def handle(self, *args: Any, threads: int, **options: Any) -> None:
        if not 1 <= threads <= MOST_THREADS:
            raise CommandError(f"A worker has 1 to {MOST_THREADS} threads.")
        stop = threading.Event()

        def on_signal(signum: int, frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, on_signal)
        signal.signal(signal.SIGINT, on_signal)
        worker = Worker(threads=threads)
        worker.start()
        filler = meanings.Filler()
        filler.start()
        beats = 0
        while not stop.is_set():
            try:
                processes.report("worker", state=ProcessState.State.RUNNING, pid=os.getpid())
                if beats % PRUNE_EVERY == 0:
                    outbox.prune()
                    imports.forget_unfinished()
                    requests.prune()
                    exports.prune()
                    consent.prune_recordings()
                    speech.prune_spoken()
                    utterances.prune()
                    calls.forget_words()
                    leftovers.prune()
                    examination.request_missing()
                    retirements.look_later()
                if beats % MEND_EVERY == 0:
                    drafts.mend()
            except DatabaseError as error:
                # The tasks wait for the database as well; a heartbeat is no reason to end.
                log.warning("The worker could not say that it runs: %s", error)
                connection.close()
            beats += 1
            stop.wait(HEARTBEAT_S)
        filler.stop()
        worker.stop()
        worker.join(STOP_TIMEOUT_S)
        try:
            processes.report("worker", state=ProcessState.State.STOPPED)
        except DatabaseError as error:
            log.warning("The worker could not say that it stopped: %s", error)
