"""Many questions on their way at the same time, from code that waits.

The event loop runs only inside `answers`, so that rows are read and written
between, by the same thread: no second database connection, no row touched
from async code.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from trainerbot.errors import ProviderRefused, TrainerBotError

Answered = TypeVar("Answered")
Close = Callable[[], Awaitable[None]]

# Our own server has two places and lets people in between; others have many.
AT_ONCE_OURS: Final = 3
AT_ONCE: Final = 8
# What an endpoint says of one text; a wrong key or model concerns them all.
OF_ONE_TEXT: Final = frozenset({400, 413, 422})
# When so many are refused one after the other, it is not the texts.
MAX_REFUSED_IN_A_ROW: Final = 10


class Crowd(Generic[Answered]):
    """So many questions at once. Use it as a context manager, in one thread.

    close: awaited at the end, on the loop that asked; it closes connections.
    """

    def __init__(self, *, at_once: int, close: Close) -> None:
        self._at_once = at_once
        self._close_clients = close
        self._runner = asyncio.Runner()
        self._asked: set[asyncio.Task[Answered]] = set()
        self._failure: TrainerBotError | None = None
        self._refused_in_a_row = 0

    def __enter__(self) -> Self:
        self._runner.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give up what is still being asked, and close the connections."""
        try:
            self._runner.run(self._close())
        finally:
            self._runner.close()

    @property
    def room(self) -> int:
        """How many more may be added now; none after a failure."""
        return 0 if self._failure else self._at_once - len(self._asked)

    @property
    def n_asked(self) -> int:
        """How many are on their way."""
        return len(self._asked)

    @property
    def is_busy(self) -> bool:
        return bool(self._asked)

    def add(self, question: Coroutine[Any, Any, Answered]) -> None:
        """Ask one thing more."""
        self._asked.add(self._runner.get_loop().create_task(question))

    def answers(self, *, timeout_s: float) -> list[Answered]:
        """Return what has been answered by now, waiting `timeout_s` at most for the first.

        Raises what went wrong for the endpoint as a whole (ProviderUnavailable,
        ProviderRefused) only when no answer is left to be stored before.
        """
        found = []
        for task in self._runner.run(self._wait(timeout_s)):
            self._asked.discard(task)
            try:
                answered = task.result()
            except TrainerBotError as error:
                self._failure = self._failure or error
            else:
                found.append(answered)
        if self._failure and not found and not self._asked:
            raise self._failure
        return found

    def refused(self, error: ProviderRefused) -> str:
        """Return why one text was refused; raise `error` where it is not about one text alone."""
        self._refused_in_a_row += 1
        if error.status not in OF_ONE_TEXT or self._refused_in_a_row > MAX_REFUSED_IN_A_ROW:
            raise error
        return str(error)

    def accepted(self) -> None:
        """Say that a text was not refused."""
        self._refused_in_a_row = 0

    async def _wait(self, timeout_s: float) -> set["asyncio.Task[Answered]"]:
        if not self._asked:
            return set()
        done, _ = await asyncio.wait(
            self._asked, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        return done

    async def _close(self) -> None:
        for task in self._asked:
            task.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)
        await self._close_clients()
