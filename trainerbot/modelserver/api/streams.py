"""Answers that are sent as they form, and work that stops when nobody waits for it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

Result = TypeVar("Result")


class Stream(Response):
    """Sends pieces as they come, and closes their source at once when the client goes away.

    An error within it cuts the connection: a client sees that the end is missing. Where
    `n_bytes` is known the client is told, and can show how far it is. A source raises ClientDisconnect for one that is said in the log already.
    """

    def __init__(
        self,
        pieces: AsyncGenerator[bytes, None],
        *,
        media_type: str,
        filename: str | None = None,
        n_bytes: int | None = None,
    ) -> None:
        self.media_type = media_type
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        if filename is not None:
            # A header is Latin-1; a model's suffix may be of any script (RFC 6266).
            quoted = quote(filename)
            told = f'filename="{filename}"' if quoted == filename else f"filename*=utf-8''{quoted}"
            self.headers["Content-Disposition"] = f"attachment; {told}"
        del self.headers["content-length"]
        if n_bytes is not None:
            self.headers["Content-Length"] = str(n_bytes)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything, or stop when `receive` tells of a disconnect."""

        async def send_all() -> None:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for piece in self._pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

        async with aclosing(self._pieces):
            with contextlib.suppress(ClientDisconnect):
                await unless_gone(receive, send_all())


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """Do `work`, or cancel it and raise ClientDisconnect when the client goes away first."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnect(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        for job in (task, gone):
            job.cancel()
        await asyncio.wait({task, gone})


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
