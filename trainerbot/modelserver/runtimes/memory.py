"""How much memory the loaded models take, and which of them make room for the next."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from trainerbot.errors import ProviderUnavailable
from trainerbot.modelserver.runtimes.base import Overloaded

log = logging.getLogger(__name__)

_MIB = 1024 * 1024


class TooLarge(ProviderUnavailable):
    """A model that alone needs more than the limit."""

    retryable = False


class Resident(Protocol):
    """Something that can be loaded."""

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for an answer of it."""

    async def unload(self) -> None:
        """Give its memory back. Called only when idle."""


class Memory:
    """Keeps what is loaded under `limit_mib`: who was used longest ago goes first.

    What a model takes is measured, by how much this process grew while it
    loaded; so one loads at a time. For the event loop's thread only.
    """

    def __init__(self, limit_mib: int, *, resident_bytes: Callable[[], int] | None = None) -> None:
        self._limit = limit_mib * _MIB
        self._resident_bytes = resident_bytes or resident_bytes_of_this_process
        # In order of use: the first was used longest ago.
        self._loaded: dict[Resident, int] = {}
        self._known: dict[object, int] = {}
        self._loading = asyncio.Lock()

    @property
    def used_bytes(self) -> int:
        """What everything loaded took when it was loaded."""
        return sum(self._loaded.values())

    def used(self, resident: Resident) -> None:
        """Note that somebody asked it just now."""
        if resident in self._loaded:
            self._loaded[resident] = self._loaded.pop(resident)

    def shrunk(self, resident: Resident, n_bytes: int) -> None:
        """Note that it gave so much back, and is still loaded."""
        if resident in self._loaded:
            self._loaded[resident] = max(0, self._loaded[resident] - n_bytes)

    def size(self, resident: Resident) -> int:
        """Return what it took when it was loaded; 0 when it is not."""
        return self._loaded.get(resident, 0)

    def gone(self, resident: Resident) -> None:
        """Note that it is loaded no more."""
        self._loaded.pop(resident, None)

    async def load(
        self,
        resident: Resident,
        load: Callable[[], Awaitable[int | None]],
        *,
        key: object,
        expected_bytes: int,
    ) -> None:
        """Load it, after others made room. `load` returns its size where another process has it.

        `expected_bytes` counts until something with this `key` was loaded
        once. Raises TooLarge when it can never fit, Overloaded when what
        takes its place is busy, and what `load` raises.
        """
        async with self._loading:
            # What was loaded already is part of what is loaded then.
            was = self._loaded.pop(resident, 0)
            try:
                await self._make_room(self._known.get(key, expected_bytes))
                before = self._resident_bytes()
                size = await load()
            except BaseException:
                if was:
                    self._loaded[resident] = was
                raise
            if size is None:
                grown = self._resident_bytes() - before
                size = max(0, was + grown) if before else expected_bytes
            self._known[key] = size
            self._loaded[resident] = size
            try:
                await self._make_room(0, kept=resident)
            except (TooLarge, Overloaded):
                self._loaded.pop(resident)
                await resident.unload()
                raise

    async def _make_room(self, n_bytes: int, *, kept: Resident | None = None) -> None:
        own = self._loaded.get(kept, 0) if kept is not None else n_bytes
        if own > self._limit:
            raise TooLarge(
                f"This model needs about {_mib(own)} MiB of memory, but the models of this server "
                f"may use {_mib(self._limit)} MiB in all (--memory-mib)."
            )
        while self.used_bytes + n_bytes > self._limit:
            idle = next((r for r in self._loaded if r is not kept and r.is_idle), None)
            if idle is None:
                raise Overloaded(
                    "The models that are answering now leave no memory for this one. "
                    "Please try again later."
                )
            self._loaded.pop(idle)
            await idle.unload()
            log.info("Unloaded a model to make room; %d MiB are used", _mib(self.used_bytes))


class Uses:
    """Counts who uses something now."""

    def __init__(self) -> None:
        self._n = 0

    @property
    def none(self) -> bool:
        """Whether nobody does."""
        return self._n == 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count one more while the block runs."""
        self._n += 1
        try:
            yield
        finally:
            self._n -= 1


def default_limit_mib() -> int:
    """Return half of this machine's memory, or 4096 MiB where it cannot be told."""
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 4096
    return max(512, pages * size // 2 // _MIB)


def resident_bytes_of_this_process() -> int:
    """Return how much memory this process has, or 0 where the system has no /proc."""
    return resident_bytes_of("self")


def resident_bytes_of(process: int | str) -> int:
    """Return how much memory a process has, or 0 where that cannot be told."""
    try:
        fields = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _mib(n_bytes: int) -> int:
    return round(n_bytes / _MIB)
