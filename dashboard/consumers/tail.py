"""From the outbox table to this process's open sockets.

Bot, worker and commands live in other processes and share only the
database, so the web process looks there: on SQLite by `PRAGMA data_version`,
which changes when another connection has written, on PostgreSQL by LISTEN.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence

from channels.layers import get_channel_layer
from django.db import connection

from dashboard.models import OutboxEvent, ProcessState
from dashboard.services import outbox, processes

log = logging.getLogger(__name__)

POLL_S = 0.05  # measured: 50 ms to the page at 0.1 to 0.2 % of a core
HEARTBEAT_S = 10.0
LOOK_S = 1.0  # and each second anyway
RETRY_S = 1.0
SEND_TIMEOUT_S = 10.0


def group(topic: str) -> str:
    """The channel-layer group of those who follow `topic`."""
    return f"topic.{topic}"


class Tail:
    """A thread that follows the outbox, and hands each event to the event loop in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._stop = threading.Event()
        self._last: int | None = None
        self._beaten_at = -HEARTBEAT_S
        self._thread = threading.Thread(target=self._follow, name="outbox-tail", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5.0)

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                if self._last is None:
                    self._last = outbox.latest_id()
                wait = self._waiter()
                while not self._stop.is_set():
                    self._hand_over()
                    self._beat()
                    wait()
            except Exception:
                # Whatever it is, pages must not stay deaf for ever.
                if self._loop.is_closed():
                    break
                log.exception("The outbox could not be followed; trying again in a second")
                connection.close()
                self._stop.wait(RETRY_S)
        connection.close()

    def _hand_over(self) -> None:
        """Send all that is new. What could not be sent is sent at the next call."""
        there_is_more = True
        while there_is_more and not self._stop.is_set():
            events = list(outbox.after(self._last or 0))
            there_is_more = len(events) >= outbox.REPLAY_LIMIT
            if events:
                sending = asyncio.run_coroutine_threadsafe(_send(events), self._loop)
                try:
                    sending.result(SEND_TIMEOUT_S)
                finally:
                    sending.cancel()
                self._last = events[-1].pk

    def _beat(self) -> None:
        if time.monotonic() - self._beaten_at > HEARTBEAT_S:
            processes.report("web", state=ProcessState.State.RUNNING, pid=os.getpid())
            self._beaten_at = time.monotonic()

    def _waiter(self) -> Callable[[], None]:
        """How to wait until there may be something new."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {outbox.CHANNEL}")
            return self._listen
        self._seen = self._data_version()
        return self._poll

    def _listen(self) -> None:
        for _ in connection.connection.notifies(timeout=LOOK_S, stop_after=1):
            return

    def _poll(self) -> None:
        for _ in range(round(LOOK_S / POLL_S)):
            if self._stop.wait(POLL_S):
                return
            version = self._data_version()
            if version != self._seen:
                self._seen = version
                return

    def _data_version(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA data_version")
            return int(cursor.fetchone()[0])


async def _send(events: Sequence[OutboxEvent]) -> None:
    """One after the other, so that they arrive in their order."""
    layer = get_channel_layer()
    if layer is None:
        return
    for event in events:
        message = {
            "type": "outbox.event",
            "id": event.pk,
            "topic": event.topic,
            "kind": event.kind,
            "payload": event.payload,
        }
        await layer.group_send(group(event.topic), message)
