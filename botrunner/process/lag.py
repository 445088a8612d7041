"""How late the event loop is: while it is, no heartbeat goes out and nobody is answered."""

import asyncio
import logging
import math
import sys
import threading
import time
import traceback
from collections import deque
from pathlib import Path

log = logging.getLogger(__name__)

EACH_S = 0.1
MINUTE_S = 60.0
LATE_S = 0.2
HISTORY_MINUTES = 60
ROOT = str(Path(__file__).resolve().parents[2])


class LoopLag:
    """Measures each 100 ms how long the loop takes to get round to something new.

    A thread asks, since the loop cannot say of itself what it is stuck in.
    More than 200 ms is logged, once a minute, with the place where it was.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._samples: deque[tuple[float, float]] = deque(maxlen=round(MINUTE_S / EACH_S))
        self._minutes: deque[float] = deque(maxlen=HISTORY_MINUTES)
        self._minute_began = time.monotonic()
        self._worst_of_minute = 0.0
        self._warned_at = -math.inf
        self._stop = threading.Event()
        self._round = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop-lag", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it does within a tenth of a second, and nobody waits for it."""
        self._stop.set()

    def figures(self) -> dict[str, object]:
        """Milliseconds of the last minute, and the worst of each of the last 60 minutes."""
        until = time.monotonic() - MINUTE_S
        last = sorted(lag for at, lag in list(self._samples) if at >= until)
        p99 = last[math.ceil(len(last) * 0.99) - 1] if last else 0.0
        worst = last[-1] if last else 0.0
        return {
            "lag_p99_ms": _ms(p99),
            "lag_max_ms": _ms(worst),
            "lag_minutes_ms": [_ms(each) for each in (*self._minutes, self._worst_of_minute)],
        }

    # --- in the thread ------------------------------------------------------------
    def _watch(self) -> None:
        while not self._stop.wait(EACH_S):
            asked = time.monotonic()
            self._round.clear()
            try:
                self._loop.call_soon_threadsafe(self._round.set)
            except RuntimeError:
                return  # the loop is closed, and this with it
            if not self._round.wait(LATE_S):
                place = self._place()
                while not self._round.wait(LATE_S):
                    if self._stop.is_set() or self._loop.is_closed():
                        return
                self._warn(time.monotonic() - asked, place)
            self._note(asked, time.monotonic() - asked)

    def _note(self, asked: float, lag: float) -> None:
        self._samples.append((asked, lag))
        if asked - self._minute_began >= MINUTE_S:
            self._minutes.append(self._worst_of_minute)
            self._minute_began, self._worst_of_minute = asked, 0.0
        self._worst_of_minute = max(self._worst_of_minute, lag)

    def _place(self) -> str:
        """Where the loop's thread is now: the innermost line of ours, or else of any."""
        frame = sys._current_frames().get(self._loop_thread)
        lines = traceback.extract_stack(frame) if frame else []
        ours = [line for line in lines if line.filename.startswith(ROOT)] or lines
        # The outermost lines of ours are the command that started the loop.
        ours = [line for line in ours if line.name not in ("<module>", "main", "handle")] or ours
        if not ours:
            return "an unknown place"
        return f"{Path(ours[-1].filename).name}, line {ours[-1].lineno}, in {ours[-1].name}"

    def _warn(self, lag: float, place: str) -> None:
        if time.monotonic() - self._warned_at >= MINUTE_S:
            self._warned_at = time.monotonic()
            log.warning("The event loop was stuck for %.0f ms in %s.", lag * 1000, place)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
