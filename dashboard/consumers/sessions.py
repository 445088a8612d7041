"""Who is really behind an open socket: it may live longer than the sign-in that opened it."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from channels.auth import get_user
from django.conf import settings
from django.contrib.auth.models import User

SIGNED_OUT = 4401  # close code; the page answers it by reloading


async def signed_in_user(scope: Mapping[str, Any]) -> User | None:
    """The user of the socket's session as stored now, or None after a sign-out.

    The scope remembers who opened the socket; only the stored session knows
    whether they have signed out, been switched off or changed their password.
    """
    session = scope.get("session")
    if session is None:
        return None
    stored = import_module(settings.SESSION_ENGINE).SessionStore(session.session_key)
    user = await get_user({"session": stored})  # type: ignore[typeddict-item]  # all that it reads
    return user if isinstance(user, User) and user.is_active else None
