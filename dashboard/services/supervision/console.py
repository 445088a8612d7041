"""The lines of many programs in one terminal, each with its program's name before it."""

import contextlib
import os
import threading
from typing import Protocol

WIDTH = 11
COLOURS = {"web": 36, "worker": 33, "modelserver": 35, "bot": 34, "up": 32}


class Output(Protocol):
    """Where lines go; Django's `OutputWrapper` is one."""

    @property
    def encoding(self) -> str | None: ...

    def write(self, text: str) -> object: ...

    def flush(self) -> object: ...


class Console:
    """Writes whole lines, also when several threads have some at once.

    Never raises: a program whose lines nobody takes would block, and stop.
    """

    def __init__(self, output: Output, *, is_terminal: bool) -> None:
        self._output = output
        self._in_colour = is_terminal and "NO_COLOR" not in os.environ
        self._one_at_a_time = threading.Lock()

    def line(self, name: str, text: str) -> None:
        """Write `text` after the name it comes from; what the terminal cannot show becomes "?"."""
        encoding = self._output.encoding or "utf-8"
        text = text.encode(encoding, errors="replace").decode(encoding)
        label = f"{name:<{WIDTH}} |"
        if self._in_colour:
            label = f"\x1b[{COLOURS.get(name, 37)}m{label}\x1b[0m"
        # Whoever read us may be gone (`| head`, a closed terminal).
        with self._one_at_a_time, contextlib.suppress(OSError):
            self._output.write(f"{label} {text}\n")
            self._output.flush()
