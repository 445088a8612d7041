"""What the bot can be asked to do from elsewhere, by the kind of the task."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from trainerbot.errors import NotFound

if TYPE_CHECKING:
    from botrunner.bot import TrainerBot
    from dashboard.models import Task

Errand = Callable[["TrainerBot", "Task"], Awaitable[Any]]
_errands: dict[str, Errand] = {}


def errand(kind: str) -> Callable[[Errand], Errand]:
    """Register the decorated coroutine function for tasks of `kind`, which begins with "bot.".

    It gets the bot and the task, and returns a result that is JSON. It may be
    called again for the same task, after a kill or where Discord was away:
    send messages with a nonce made of the task's id.
    """

    def register(function: Errand) -> Errand:
        _errands[kind] = function
        return function

    return register


def find(kind: str) -> Errand:
    """Return the function for tasks of `kind`. Raises NotFound."""
    try:
        return _errands[kind]
    except KeyError:
        raise NotFound("This bot does not know how to do that. Update it.") from None
