"""Takes away what has expired: at the start, and every minute from then on."""

import asyncio
import logging

from trainerbot.errors import TrainerBotError
from trainerbot.modelserver.store import Store

log = logging.getLogger(__name__)
_EVERY_S = 60


async def keep_sweeping(store: Store) -> None:
    """Sweep until cancelled."""
    while True:
        try:
            n_files = await asyncio.to_thread(store.expire_files)
            n_uploads = await asyncio.to_thread(store.expire_uploads)
        except TrainerBotError:
            # A full disk: what expired is refused all the same, and taken the next time.
            log.exception("What has expired could not be removed")
        else:
            if n_files or n_uploads:
                log.info("Expired: %d files, %d unfinished uploads", n_files, n_uploads)
        await asyncio.sleep(_EVERY_S)
