"""What the supervisor sees, written to rows, so that the dashboard can show it."""

import logging
import os
import queue
import threading
from collections.abc import Iterable, Mapping

from django.db import DatabaseError, connection

from dashboard.models import ProcessState
from dashboard.services import processes
from dashboard.services.supervision.supervisor import Report, State

HEARTBEAT_S = 10.0
CLOSE_TIMEOUT_S = 2.0

log = logging.getLogger(__name__)


class Reporter:
    """Writes reports in a thread of its own: a busy database must not hold up a restart.

    Programs outside `self_reporting` get a heartbeat every ten seconds while
    they run, because nobody else writes one for them.
    """

    def __init__(self, *, self_reporting: Iterable[str], left_out: Mapping[str, str]) -> None:
        self._self_reporting = frozenset(self_reporting)
        self._left_out = left_out
        self._reports: queue.SimpleQueue[Report | None] = queue.SimpleQueue()
        self._latest: dict[str, Report] = {}
        self._thread = threading.Thread(target=self._write_all, name="reporter", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, report: Report) -> None:
        """Take a report to be written soon. Never blocks."""
        self._reports.put(report)

    def close(self) -> None:
        """Write what waits and end; gives up after two seconds."""
        self._reports.put(None)
        self._thread.join(CLOSE_TIMEOUT_S)

    def _write_all(self) -> None:
        for name, why in self._left_out.items():
            self._write(name, ProcessState.State.DISABLED, message=why)
        self._write("supervisor", ProcessState.State.RUNNING, pid=os.getpid(), message="")
        while True:
            try:
                report = self._reports.get(timeout=HEARTBEAT_S)
            except queue.Empty:
                self._beat()
                continue
            if report is None:
                break
            self._latest[report.name] = report
            self._write_report(report)
        self._write("supervisor", ProcessState.State.STOPPED, message="Stopped.")
        connection.close()

    def _beat(self) -> None:
        self._write("supervisor", ProcessState.State.RUNNING)
        for report in self._latest.values():
            if report.state is State.RUNNING and report.name not in self._self_reporting:
                self._write_report(report)

    def _write_report(self, report: Report) -> None:
        # Of a program that speaks for itself we know only that it was started.
        starts = report.state is State.RUNNING and report.name in self._self_reporting
        self._write(
            report.name,
            ProcessState.State.STARTING if starts else ProcessState.State(report.state),
            pid=report.pid,
            restarts=report.restarts,
            exit_code=report.exit_code,
            message=report.message,
        )

    def _write(
        self,
        name: str,
        state: ProcessState.State,
        *,
        pid: int | None = None,
        restarts: int | None = None,
        exit_code: int | None = None,
        message: str | None = None,
    ) -> None:
        try:
            processes.report(
                name,
                state=state,
                pid=pid,
                restarts=restarts,
                exit_code=exit_code,
                message=message,
            )
        except DatabaseError:
            # The programs go on; the row is stale until the next report.
            log.exception("The state of %s could not be stored.", name)
            connection.close()
