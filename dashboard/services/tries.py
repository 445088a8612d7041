"""How often a person may have something made that takes a processor, as speech in the browser does."""

import math
import threading
import time
from collections import deque
from typing import Final

from django.contrib.auth.models import User

from dashboard.services.budgets import TooFast

EVERY_S: Final = 60.0


class Tries:
    """Counts in the memory of this process: a limit for hands, not for budgets."""

    def __init__(self, most_a_minute: int) -> None:
        self._most = most_a_minute
        self._at: dict[int, deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, user: User) -> None:
        """Count one more. Raises TooFast, in words, for one too many within a minute."""
        moment = time.monotonic()
        with self._lock:
            self._forget(moment - EVERY_S)
            mine = self._at.setdefault(user.pk, deque())
            if len(mine) >= self._most:
                wait_s = math.ceil(mine[0] + EVERY_S - moment)
                raise TooFast(f"That was a lot at once. Try again in {wait_s} s.", wait_s)
            mine.append(moment)

    def _forget(self, before: float) -> None:
        for user_id, moments in list(self._at.items()):
            while moments and moments[0] <= before:
                moments.popleft()
            if not moments:
                del self._at[user_id]


speech = Tries(most_a_minute=30)
