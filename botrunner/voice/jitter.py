"""Puts the frames of one speaker in order, and waits a moment for those that are late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

DEPTH_S: Final = 0.06
MOST_WAITING: Final = 64
# A jump this wide is no loss: the speaker's client began to count anew.
WIDEST_GAP: Final = 100
_MODULUS: Final = 1 << 16

Frame = TypeVar("Frame")


@dataclass(frozen=True, slots=True)
class Lost:
    """`count` frames in a row that never came."""

    count: int


def distance(of: int, behind: int) -> int:
    """How many packets `of` comes after `behind`; negative if it comes before.

    Both are RTP sequence numbers, which begin anew after 65,535.
    """
    return (of - behind + _MODULUS // 2) % _MODULUS - _MODULUS // 2


class Jitter(Generic[Frame]):
    """The frames of one speaker, in their order.

    A frame that comes in order is handed on at once: nobody listens to the
    pace, and whoever answers gains by every millisecond. After a gap frames
    wait for the missing ones, `depth_s` at most. Times are seconds of any
    clock that never goes back.
    """

    def __init__(self, *, depth_s: float = DEPTH_S) -> None:
        self._depth_s = depth_s
        self._next: int | None = None
        self._waiting: dict[int, tuple[Frame, float]] = {}  # by sequence: frame, when it came
        self.n_late = 0
        self.n_lost = 0

    def put(self, sequence: int, frame: Frame, now: float) -> list[Frame | Lost]:
        """Take a frame and return those that are due, with what is lost between them."""
        if self._next is None:
            self._next = sequence
        ahead = distance(sequence, self._next)
        if abs(ahead) > WIDEST_GAP:
            due = self._give_up()
            self._next = (sequence + 1) % _MODULUS
            return [*due, frame]
        if ahead < 0 or sequence in self._waiting:
            self.n_late += 1  # or twice the same
            return []
        self._waiting[sequence] = (frame, now)
        return self.due(now)

    def due(self, now: float) -> list[Frame | Lost]:
        """Return what is in order, and what has waited long enough."""
        ready = self._in_order()
        while self._waiting and (
            now - min(came for _, came in self._waiting.values()) >= self._depth_s
            or len(self._waiting) > MOST_WAITING
        ):
            ready += self._skip()
        return ready

    def _in_order(self) -> list[Frame | Lost]:
        ready: list[Frame | Lost] = []
        while self._next is not None and self._next in self._waiting:
            frame, _ = self._waiting.pop(self._next)
            ready.append(frame)
            self._next = (self._next + 1) % _MODULUS
        return ready

    def _skip(self) -> list[Frame | Lost]:
        """Give up what is missing before the first frame that waits."""
        expected = self._next
        assert expected is not None
        first = min(self._waiting, key=lambda sequence: distance(sequence, expected))
        count = distance(first, expected)
        self.n_lost += count
        self._next = first
        return [Lost(count), *self._in_order()]

    def _give_up(self) -> list[Frame | Lost]:
        """Return all that waits: what follows belongs to another count."""
        ready = self._in_order()
        while self._waiting:
            ready += self._skip()
        return ready
