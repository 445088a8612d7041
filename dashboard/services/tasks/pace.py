"""How often a long step speaks: each word is a write, and a fast step must not flood the database."""

import math
import time


class Pace:
    """Tells when `every_s` seconds have passed again."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._last = -math.inf

    def is_due(self) -> bool:
        """Whether it is time: the first time at once, then `every_s` after it last was."""
        moment = time.monotonic()
        if moment - self._last < self._every_s:
            return False
        self._last = moment
        return True
