"""Start, stop and restart, as an admin asks on the dashboard; a row, so nobody needs to listen."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import now

from dashboard.models import ProcessState
from dashboard.services import access, audit, outbox, processes
from dashboard.services.access import Permission
from dashboard.services.bot.places import NAME

KIND = "process.wish"
STOPPED_BY_ADMIN = "Stopped on the dashboard. Start it there."


class Order(StrEnum):
    START = "start"
    STOP = "stop"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Wish:
    """What admins want of a process; a restart is due once for each `restart_asked_at`."""

    is_wanted: bool = True
    restart_asked_at: datetime | None = None


@transaction.atomic
def order(what: Order, *, actor: User) -> None:
    """Have the bot started, stopped or restarted by whoever runs it, within a second.

    Raises NotAllowed. Asked twice, it counts once; what is stopped stays
    stopped until it is started, also through a restart of the machine.
    """
    access.require(actor, Permission.SETTINGS)
    row, _ = ProcessState.objects.select_for_update().get_or_create(name=NAME)
    row.is_wanted = what is not Order.STOP
    given_up = what is Order.START and row.state == ProcessState.State.FAILED
    if what is Order.RESTART or given_up:
        row.restart_asked_at = now()
    row.save(update_fields=["is_wanted", "restart_asked_at"])
    audit.record(actor, f"bot.{what}", NAME)
    outbox.publish(processes.TOPIC, KIND, name=NAME)


def wishes(name: str = NAME) -> Wish:
    """What is wanted of a process now."""
    row = ProcessState.objects.filter(name=name).first()
    return Wish(row.is_wanted, row.restart_asked_at) if row else Wish()
