"""From an event loop to the thread of the rows and back, once for each unit of work."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.conf import settings

Given = ParamSpec("Given")
Result = TypeVar("Result")


def hop(work: Callable[Given, Result]) -> Callable[Given, Coroutine[Any, Any, Result]]:
    """Let `work`, one unit of work with rows, be awaited.

    On SQLite the connection stays open afterwards: to open it and to set it up
    takes longer than the work.
    """
    is_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    return sync_to_async(work) if is_sqlite else database_sync_to_async(work)
