"""What each part of the running system says about itself, and who may run alone."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from django.db import DatabaseError, connection, transaction
from django.utils.timezone import now

from dashboard.models import ProcessState
from dashboard.services import outbox

TOPIC = "system"
HOLD = timedelta(seconds=30)
RENEW_S: Final = 10.0
DUTY: Final = "duty: "
"""What the name of work begins with that one process does for all, and that is no process itself."""

log = logging.getLogger(__name__)


@transaction.atomic
def report(
    name: str,
    *,
    state: str | None = None,
    pid: int | None = None,
    restarts: int | None = None,
    exit_code: int | None = None,
    message: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write down what is known of the process `name`; what is not given stays as it was.

    Open pages are told when the state changes, not at each heartbeat.
    """
    row, _ = ProcessState.objects.select_for_update().get_or_create(name=name)
    changed = state is not None and state != row.state
    given = {
        "state": state,
        "pid": pid,
        "restarts": restarts,
        "exit_code": exit_code,
        "message": message,
        "detail": detail,
    }
    for field, value in given.items():
        if value is not None:
            setattr(row, field, value)
    if changed and state == ProcessState.State.RUNNING:
        row.started_at = now()
    row.heartbeat_at = now()
    row.save()
    if changed:
        outbox.publish(TOPIC, "process.changed", name=name, state=row.state)


def hold(name: str, holder: str) -> bool:
    """Make `holder` the only one that runs `name`, for the next 30 seconds.

    Call it again before they are over to stay the one. False while another
    holds it: two bots with one token would answer twice.
    """
    row, _ = ProcessState.objects.get_or_create(name=name)
    # A look first: who waits looks often, and an UPDATE takes SQLite's write lock each time.
    if row.is_held and row.holder != holder:
        return False
    free = (
        ProcessState.objects.filter(name=name, holder__in=["", holder])
        | ProcessState.objects.filter(name=name, heartbeat_at__lt=now() - HOLD)
        | ProcessState.objects.filter(name=name, heartbeat_at=None)
    )
    return bool(free.update(holder=holder, heartbeat_at=now()))


def release(name: str, holder: str) -> None:
    """Let another run `name` at once."""
    ProcessState.objects.filter(name=name, holder=holder).update(holder="")


@contextmanager
def held(name: str, holder: str) -> Iterator[bool]:
    """Hold `name` for as long as the block takes; False in it where another holds it."""
    if not hold(name, holder):
        yield False
        return
    is_over = threading.Event()

    def renew() -> None:
        while not is_over.wait(RENEW_S):
            try:
                hold(name, holder)
            except DatabaseError as error:
                log.warning("%s could not be held on to: %s", name, error)
            finally:
                connection.close()

    thread = threading.Thread(target=renew, name=f"holds {name}", daemon=True)
    thread.start()
    try:
        yield True
    finally:
        is_over.set()
        thread.join()
        release(name, holder)


def everything() -> list[ProcessState]:
    """All parts that ever reported, in the order a person reads them."""
    order = {"web": 0, "worker": 1, "modelserver": 2, "bot": 3}
    rows = ProcessState.objects.exclude(name__startswith=DUTY)
    return sorted(rows, key=lambda row: (order.get(row.name, 9), row.name))


def is_alive(name: str) -> bool:
    """Whether `name` said within the last 30 seconds that it runs."""
    row = ProcessState.objects.filter(name=name).first()
    return row is not None and row.is_alive
