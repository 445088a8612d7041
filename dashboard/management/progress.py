"""How far a long command is: one line that is written over, on a terminal only."""

import time
from types import TracebackType
from typing import Self

from django.core.management.base import OutputWrapper

WIDTH = 30
EVERY_S = 0.1


class ProgressLine:
    """A bar such as `importing [#########.....] 31 %  about 40 s`.

    Nothing is written where no person looks on: into a file, a pipe, or when
    `quiet`.
    """

    def __init__(self, out: OutputWrapper, *, quiet: bool = False) -> None:
        self._out = out
        self._shown = not quiet and out.isatty()
        self._step = ""
        self._begun = self._last = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._shown and self._step:
            self._out.write("\r\x1b[K", ending="")
            self._out.flush()

    def show(self, step: str, share: float) -> None:
        """Show `step` and its `share` done, 0 to 1."""
        moment = time.monotonic()
        if not self._shown or (step == self._step and moment - self._last < EVERY_S):
            return
        if step != self._step:
            self._step, self._begun = step, moment
        self._last = moment
        done = round(share * WIDTH)
        left = ""
        if share > 0.02:
            left = f"  about {(moment - self._begun) * (1 - share) / share:.0f} s"
        bar = "#" * done + "." * (WIDTH - done)
        self._out.write(f"\r\x1b[K{step} [{bar}] {share:4.0%}{left}", ending="")
        self._out.flush()
