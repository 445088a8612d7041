"""Who in a call lets the bot listen to them: asked once, known before their first word."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from channels.db import database_sync_to_async
from django.db import DatabaseError

from dashboard.services import consent

log = logging.getLogger(__name__)

may_hear = database_sync_to_async(consent.is_heard)


class Consents:
    """What is known of each person. Nobody is heard of whom it is not known yet.

    is_bot: by Discord's id; other bots are never heard.
    """

    def __init__(self, is_bot: Callable[[int], bool]) -> None:
        self._is_bot = is_bot
        self._known: dict[int, bool] = {}
        self._asking: dict[int, asyncio.Task[None]] = {}

    def is_heard(self, discord_user_id: int) -> bool:
        """Whether somebody may be listened to; asks for it where that is not known. On the loop."""
        known = self._known.get(discord_user_id)
        if known is None and discord_user_id not in self._asking:
            if self._is_bot(discord_user_id):
                self._known[discord_user_id] = False
            else:
                task = asyncio.create_task(self._ask(discord_user_id))
                self._asking[discord_user_id] = task
        return bool(known)

    def note(self, discord_user_id: int, heard: bool) -> None:
        """They have said so just now."""
        self._known[discord_user_id] = heard

    def close(self) -> None:
        for task in self._asking.values():
            task.cancel()

    async def _ask(self, discord_user_id: int) -> None:
        try:
            heard = await may_hear(discord_user_id)
            self._known.setdefault(discord_user_id, heard)  # unless they said so meanwhile
        except DatabaseError as error:
            log.warning("Whether somebody may be heard could not be read: %s", error)
        finally:
            del self._asking[discord_user_id]
