"""What happens elsewhere reaches the bot's cogs: each event of the outbox, as `on_outbox`."""

import asyncio
import contextvars
from collections.abc import Callable, Sequence

from dashboard.models import OutboxEvent
from dashboard.services.following import Follower

# What cogs listen to. Not the conversations: of those the bot makes most itself, two events
# for each message that it answers.
TOPICS = ("corrections", "jobs", "places", "settings", "system", "tasks")
# What an answer depends on is read anew for each; of the rest nobody waits for a tenth of a
# second, and each look takes the interpreter away from the answers.
POLL_S = 0.2


class News:
    """Calls `tell` on the event loop with each event of the outbox, in order, from now on.

    Cogs listen: `@commands.Cog.listener() async def on_outbox(self, event)`.
    What was published before the bot came is in the rows, so whoever needs it
    reads them once when it is ready.
    """

    def __init__(self, tell: Callable[[OutboxEvent], None]) -> None:
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        # The thread has none of its own, and discord.py keeps its way to webhooks in it.
        self._context = contextvars.copy_context()
        self._follower = Follower(
            self._hand_over,
            name="outbox-news",
            goes_on=lambda: not self._loop.is_closed(),
            topics=TOPICS,
            poll_s=POLL_S,
        )

    def start(self) -> None:
        self._follower.start()

    async def stop(self) -> None:
        await asyncio.to_thread(self._follower.stop)

    def _hand_over(self, events: Sequence[OutboxEvent]) -> None:
        """In the follower's thread. The loop keeps the order in which it is called."""
        for event in events:
            self._loop.call_soon_threadsafe(self._tell, event, context=self._context)
