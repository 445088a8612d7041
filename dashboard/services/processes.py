"""What each part of the running system says about itself, and who may run alone."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from dashboard.models import ProcessState
from dashboard.services import outbox

TOPIC = "system"
HOLD = timedelta(seconds=30)


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
    ProcessState.objects.get_or_create(name=name)
    free = (
        ProcessState.objects.filter(name=name, holder__in=["", holder])
        | ProcessState.objects.filter(name=name, heartbeat_at__lt=now() - HOLD)
        | ProcessState.objects.filter(name=name, heartbeat_at=None)
    )
    return bool(free.update(holder=holder, heartbeat_at=now()))


def release(name: str, holder: str) -> None:
    """Let another run `name` at once."""
    ProcessState.objects.filter(name=name, holder=holder).update(holder="")


def everything() -> list[ProcessState]:
    """All parts that ever reported, in the order a person reads them."""
    order = {"web": 0, "worker": 1, "modelserver": 2, "bot": 3}
    return sorted(ProcessState.objects.all(), key=lambda row: (order.get(row.name, 9), row.name))


def is_alive(name: str) -> bool:
    """Whether `name` said within the last 30 seconds that it runs."""
    row = ProcessState.objects.filter(name=name).first()
    return row is not None and row.is_alive
