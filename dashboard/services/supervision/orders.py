"""What admins ask on the dashboard, passed on to the supervisor."""

import logging
from collections.abc import Sequence

from dashboard.models import OutboxEvent
from dashboard.services.bot import NAME, orders, wishes
from dashboard.services.following import Follower
from dashboard.services.supervision.supervisor import Supervisor

log = logging.getLogger(__name__)


class Orders:
    """Has the supervisor start, stop and restart the bot within a tenth of a second of the order."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._wish = wishes()
        self._follower = Follower(self._hear, name="orders", at_each_look=self._look)
        self.stop = self._follower.stop

    def start(self) -> None:
        """Call it before the supervisor starts: what an admin has stopped stays so."""
        if not self._wish.is_wanted:
            self._supervisor.stop_one(NAME, orders.STOPPED_BY_ADMIN)
        self._follower.start()

    def _hear(self, events: Sequence[OutboxEvent]) -> None:
        if any(event.kind == orders.KIND for event in events):
            self._look()

    def _look(self) -> None:
        wish, before = wishes(), self._wish
        self._wish = wish
        if wish == before:
            return
        if not wish.is_wanted:
            self._supervisor.stop_one(NAME, orders.STOPPED_BY_ADMIN)
        elif wish.restart_asked_at != before.restart_asked_at:
            self._supervisor.restart(NAME)
        else:
            self._supervisor.start_one(NAME)
