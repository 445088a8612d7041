"""The audit log: append only."""

from typing import Any

from django.contrib.auth.models import User

from dashboard.models import AuditEvent


def record(
    actor: User | None, action: str, target: str = "", *, name: str = "", **detail: Any
) -> None:
    """Note that `actor` did `action`; for a command or a Discord user, give their `name`."""
    AuditEvent.objects.create(
        actor=actor,
        actor_name=name or (actor.get_username() if actor else "command line"),
        action=action,
        target=target[:120],
        detail=detail,
    )
