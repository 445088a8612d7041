"""Follow the outbox in a thread: for open pages in the web process, for settings in the bot.

The other processes share only the database, so a follower looks there: on
SQLite by `PRAGMA data_version`, which changes when another connection has
written, on PostgreSQL by LISTEN.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from django.db import connection

from dashboard.models import OutboxEvent
from dashboard.services import outbox
from dashboard.services.statements import Statement

log = logging.getLogger(__name__)

POLL_S = 0.05  # measured: 50 ms to the page at 0.1 to 0.2 % of a core
LOOK_S = 1.0  # and each second anyway
RETRY_S = 1.0
_DATA_VERSION = Statement("PRAGMA data_version")


class Follower:
    """A thread that hands on each event of the outbox, in order, from its start on.

    deliver: called in the thread with the new events, oldest first; what it
        raises is logged, and the same events are handed on again a second later.
    at_each_look: called in the thread at least once a second.
    goes_on: asked after an error; once it says no, the thread ends.
    topics: hand on only events of these, of all if none are named.
    poll_s: how often it looks on SQLite.
    """

    def __init__(
        self,
        deliver: Callable[[Sequence[OutboxEvent]], None],
        *,
        name: str,
        at_each_look: Callable[[], None] = lambda: None,
        goes_on: Callable[[], bool] = lambda: True,
        topics: Sequence[str] | None = None,
        poll_s: float = POLL_S,
    ) -> None:
        self._deliver = deliver
        self._at_each_look = at_each_look
        self._goes_on = goes_on
        self._topics = topics
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._last: int | None = None
        self._thread = threading.Thread(target=self._follow, name=name, daemon=True)

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
                    self._at_each_look()
                    wait()
            except Exception:
                # Whatever it is, those who listen must not stay deaf for ever.
                if not self._goes_on():
                    break
                log.exception("The outbox could not be followed; trying again in a second")
                connection.close()
                self._stop.wait(RETRY_S)
        connection.close()

    def _hand_over(self) -> None:
        """Hand on all that is new. What failed is handed on at the next call."""
        there_is_more = True
        while there_is_more and not self._stop.is_set():
            # Most of what is written in a bot is of other topics: its own talk.
            if self._topics and not outbox.has_news(self._last or 0, self._topics):
                return
            events = list(outbox.after(self._last or 0, self._topics))
            there_is_more = len(events) >= outbox.REPLAY_LIMIT
            if events:
                self._deliver(events)
                self._last = events[-1].pk

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
        for _ in range(round(LOOK_S / self._poll_s)):
            if self._stop.wait(self._poll_s):
                return
            version = self._data_version()
            if version != self._seen:
                self._seen = version
                return

    def _data_version(self) -> int:
        return int(_DATA_VERSION.rows()[0][0])
