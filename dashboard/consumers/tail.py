"""From the outbox table to this process's open sockets."""

import asyncio
import os
import time
from collections.abc import Sequence

from channels.layers import get_channel_layer

from dashboard.models import OutboxEvent, ProcessState
from dashboard.services import processes
from dashboard.services.following import Follower

HEARTBEAT_S = 10.0
SEND_TIMEOUT_S = 10.0


def group(topic: str) -> str:
    """The channel-layer group of those who follow `topic`."""
    return f"topic.{topic}"


class Tail:
    """Hands each event of the outbox to the event loop, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._beaten_at = -HEARTBEAT_S
        self._follower = Follower(
            self._hand_over,
            name="outbox-tail",
            at_each_look=self._beat,
            goes_on=lambda: not loop.is_closed(),
        )
        self.start = self._follower.start
        self.stop = self._follower.stop
        self.is_alive = self._follower.is_alive

    def _hand_over(self, events: Sequence[OutboxEvent]) -> None:
        sending = asyncio.run_coroutine_threadsafe(_send(events), self._loop)
        try:
            sending.result(SEND_TIMEOUT_S)
        finally:
            sending.cancel()

    def _beat(self) -> None:
        if time.monotonic() - self._beaten_at > HEARTBEAT_S:
            processes.report("web", state=ProcessState.State.RUNNING, pid=os.getpid())
            self._beaten_at = time.monotonic()


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
