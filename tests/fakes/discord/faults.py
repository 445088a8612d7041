"""What may go wrong between a bot and Discord's REST API."""

import re
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

# Discord's own answers pass through its proxies, which add this header. A 429
# without it comes from Cloudflare, and discord.py does not retry it.
VIA = {"Via": "1.1 fake"}


@dataclass(frozen=True)
class Fault:
    """An answer that the next request of this shape gets instead of its own.

    `took_effect`: the request was carried out all the same; only its answer
    was lost, as when a proxy gives up.
    """

    status: int
    method: str = ".*"
    path: str = ".*"
    retry_after_s: float = 0.05
    headers: Mapping[str, str] = field(default_factory=lambda: dict(VIA))
    took_effect: bool = False

    def meets(self, method: str, path: str) -> bool:
        return bool(re.fullmatch(self.method, method) and re.fullmatch(self.path, path))

    @property
    def body(self) -> dict[str, object]:
        if self.status == 429:
            return {
                "message": "You are being rate limited.",
                "retry_after": self.retry_after_s,
                "global": False,
            }
        return {"code": 0, "message": f"{self.status}: made by the test"}


class Faults:
    """The faults still to come, first in, first out."""

    def __init__(self) -> None:
        self.waiting: deque[Fault] = deque()

    def take(self, method: str, path: str) -> Fault | None:
        for fault in self.waiting:
            if fault.meets(method, path):
                self.waiting.remove(fault)
                return fault
        return None


@dataclass
class RateLimit:
    """A bucket for each method and channel: `limit` writes of messages in `window_s` seconds."""

    limit: int
    window_s: float
    _buckets: dict[str, tuple[int, float]] = field(default_factory=dict)

    def take(self, bucket: str) -> tuple[bool, dict[str, str]]:
        """Return whether one more is allowed, and the headers that say so."""
        now_s = time.time()
        left, until_s = self._buckets.get(bucket, (self.limit, now_s + self.window_s))
        if now_s >= until_s:
            left, until_s = self.limit, now_s + self.window_s
        allowed = left > 0
        left = max(0, left - 1)
        self._buckets[bucket] = (left, until_s)
        return allowed, {
            **VIA,
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": f"{until_s:.3f}",
            "X-RateLimit-Reset-After": f"{until_s - now_s:.3f}",
            "X-RateLimit-Bucket": bucket.partition("/")[0],
        }
