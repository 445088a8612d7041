"""Files of the store as downloads, also while somebody deletes them."""

import asyncio
import os
from pathlib import Path

from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from trainerbot.modelserver.api.errors import ApiError


class Download(FileResponse):
    """A file to take along, whole or in ranges; `gone` is answered when it cannot be opened.

    Deleted while it is being sent, it is sent to its end.
    """

    def __init__(self, path: Path, *, filename: str, gone: ApiError) -> None:
        super().__init__(path, media_type="application/octet-stream", filename=filename)
        self._gone = gone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file. Raises `gone`, before anything is sent."""
        held: list[Message] = []

        async def send_opened(message: Message) -> None:
            # The status waits for the first bytes: only they show that the file could be opened.
            if message["type"] == "http.response.start":
                held.append(message)
                return
            while held:
                await send(held.pop())
            await send(message)

        try:
            self.stat_result = await asyncio.to_thread(os.stat, self.path)
            self.set_stat_headers(self.stat_result)
            await super().__call__(scope, receive, send_opened)
        except FileNotFoundError as error:
            raise self._gone from error
