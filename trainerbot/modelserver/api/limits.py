"""How much one key may ask in a minute: requests, and tokens of the models' answers.

Each key has a bucket that fills evenly. A request takes one from the first
bucket; what an answer cost is taken from the second afterwards, which may
leave it in debt: until it is paid the key's next questions are refused.
"""

import math
import time
from collections.abc import Callable
from typing import Literal

from starlette.requests import Request

from trainerbot.modelserver.api.errors import ApiError

Kind = Literal["requests", "tokens"]
Headers = list[tuple[bytes, bytes]]
_SHORT = {"requests": "RPM", "tokens": "TPM"}
# What costs tokens here.
_ASKING = ("/v1/chat/completions", "/v1/embeddings")
_METER = "trainerbot.spend_tokens"


class Bucket:
    """So many a minute, and at most a minute's worth at once."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._level = float(per_minute)
        self._at = clock()

    @property
    def level(self) -> float:
        """What is left; below 0 in debt."""
        now = self._clock()
        gained = (now - self._at) * self.per_minute / 60
        self._level, self._at = min(self.per_minute, self._level + gained), now
        return self._level

    def take(self, n: int) -> None:
        """Take `n`, whether or not they are there."""
        self._level = self.level - n

    def seconds_until(self, level: float) -> float:
        """Return how long it takes to be at `level` again."""
        return max(0.0, (level - self.level) * 60 / self.per_minute)


class Limits:
    """The buckets of every key. Without a limit there is none, and nothing is refused."""

    def __init__(
        self,
        *,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_minute: dict[Kind, int] = {}
        if requests_per_minute is not None:
            self._per_minute["requests"] = requests_per_minute
        if tokens_per_minute is not None:
            self._per_minute["tokens"] = tokens_per_minute
        self._clock = clock
        self._buckets: dict[int, dict[Kind, Bucket]] = {}

    def admit(self, key: int, path: str) -> ApiError | None:
        """Count a request of the key with this number; return a refusal when it has no more."""
        buckets = self._of(key)
        requests = buckets.get("requests")
        if requests is not None and requests.level < 1:
            return _refusal("requests", requests, needed=1)
        tokens = buckets.get("tokens")
        if tokens is not None and path.startswith(_ASKING) and tokens.level < 1:
            return _refusal("tokens", tokens, needed=1)
        if requests is not None:
            requests.take(1)
        return None

    def spend(self, key: int, n_tokens: int) -> None:
        """Count the tokens of an answer that the key was given."""
        tokens = self._of(key).get("tokens")
        if tokens is not None:
            tokens.take(n_tokens)

    def headers(self, key: int) -> Headers:
        """Return OpenAI's headers that tell a client where it stands."""
        told: Headers = []
        for kind, bucket in self._of(key).items():
            left = max(0, math.floor(bucket.level))
            reset = _duration(bucket.seconds_until(bucket.per_minute))
            for name, value in (
                ("limit", str(bucket.per_minute)),
                ("remaining", str(left)),
                ("reset", reset),
            ):
                told.append((f"x-ratelimit-{name}-{kind}".encode(), value.encode()))
        return told

    def meter(self, scope: dict[str, object], key: int) -> None:
        """Let `spend_tokens` know whose request this is, where tokens have a limit."""
        if "tokens" in self._per_minute:
            scope[_METER] = lambda n_tokens: self.spend(key, n_tokens)

    def _of(self, key: int) -> dict[Kind, Bucket]:
        if key not in self._buckets:
            self._buckets[key] = {
                kind: Bucket(per_minute, self._clock)
                for kind, per_minute in self._per_minute.items()
            }
        return self._buckets[key]


def has_token_limit(request: Request) -> bool:
    """Return whether what this request costs is counted."""
    return _METER in request.scope


def spend_tokens(request: Request, n_tokens: int) -> None:
    """Count `n_tokens` against the limit of whoever asked."""
    if (spend := request.scope.get(_METER)) is not None:
        spend(n_tokens)


def _refusal(kind: Kind, bucket: Bucket, *, needed: int) -> ApiError:
    wait_s = bucket.seconds_until(needed)
    used = bucket.per_minute - math.floor(bucket.level)
    refusal = ApiError(
        f"Rate limit reached on {kind} per min ({_SHORT[kind]}): Limit {bucket.per_minute}, "
        f"Used {used}, Requested {needed}. Please try again in {_duration(wait_s)}.",
        status=429,
        type=kind,
        code="rate_limit_exceeded",
    )
    refusal.headers = {
        "retry-after": str(math.ceil(wait_s)),
        "retry-after-ms": str(math.ceil(wait_s * 1000)),
    }
    return refusal


def _duration(seconds: float) -> str:
    """Return a time as OpenAI writes it: 20ms, 1.5s, 6m0s."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f"{minutes}m{rest}s"
