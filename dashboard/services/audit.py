"""The audit log: append only."""

from typing import Any

from django.contrib.auth.models import User

from dashboard.models import AuditEvent
from dashboard.services.access import Person


def record(
    actor: User | Person | None, action: str, target: str = "", *, name: str = "", **detail: Any
) -> None:
    """Note that `actor` did `action`; for a command or a Discord user, give their `name`."""
    user = actor.user if isinstance(actor, Person) else actor
    if isinstance(actor, Person) and actor.discord_user_id is not None:
        name = name or actor.name
        detail.setdefault("discord_user_id", actor.discord_user_id)
    AuditEvent.objects.create(
        actor=user,
        actor_name=name or (user.get_username() if user else "command line"),
        action=action,
        target=target[:120],
        detail=detail,
    )
