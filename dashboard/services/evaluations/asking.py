"""Many texts at one model at the same time, from code that waits.

The event loop runs only inside `answers`, so that rows are read and written
between, by the same thread: no second database connection, no row touched
from async code.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from dashboard.services import providers
from dashboard.services.evaluations.cases import Case
from trainerbot.endpoints.failures import TOO_LONG
from trainerbot.errors import ProviderRefused, TrainerBotError
from trainerbot.llm.choosing import Choice, choose

# Our own server has two places and lets people in between; others have many.
AT_ONCE_OURS: Final = 3
AT_ONCE: Final = 8
# Longer than any model reads; what is left of it is cut by trying.
MAX_CHARACTERS: Final = 2_000_000
SHORTEST: Final = 40
KEPT_SHARE: Final = 0.7
# What an endpoint says of this text; a wrong key or model concerns them all.
OF_ONE_TEXT: Final = frozenset({400, 413, 422})
# When so many are refused one after the other, it is not the texts.
MAX_REFUSED_IN_A_ROW: Final = 10


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to the case that was added as `key`; `label` is None for none of the labels.

    `error` says why the endpoint refused this text, and is empty otherwise.
    """

    key: int
    label: str | None
    text: str
    ms: int
    is_cut: bool = False
    is_constrained: bool = True
    error: str = ""


class Asker:
    """Asks one model to choose among labels. Use it as a context manager, in one thread."""

    def __init__(self, *, model: str, labels: Sequence[str]) -> None:
        self._model = model
        self._labels = tuple(labels)
        self._at_once = AT_ONCE_OURS if providers.uses_embedded_server() else AT_ONCE
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
    def is_busy(self) -> bool:
        return bool(self._asked)

    def add(self, key: int, case: Case) -> None:
        """Ask about one more text, under a key that its answer will bear."""
        self._asked.add(self._runner.get_loop().create_task(self._ask(key, case)))

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

    async def _wait(self, timeout_s: float) -> set["asyncio.Task[Answered]"]:
        if not self._asked:
            return set()
        done, _ = await asyncio.wait(
            self._asked, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        return done

    async def _ask(self, key: int, case: Case) -> Answered:
        began = time.monotonic()
        fitting = case.cut(MAX_CHARACTERS)
        while True:
            try:
                choice = await self._choose(fitting)
            except ProviderRefused as error:
                if error.code == TOO_LONG and fitting.n_characters > SHORTEST:
                    fitting = case.cut(int(fitting.n_characters * KEPT_SHARE))
                    continue
                self._count_refusal(error)
                choice, told = None, str(error)
            else:
                self._refused_in_a_row, told = 0, ""
            return Answered(
                key=key,
                label=choice.label if choice else None,
                text=choice.text if choice else "",
                ms=round(1000 * (time.monotonic() - began)),
                is_cut=fitting.n_characters < case.n_characters,
                is_constrained=choice.is_constrained if choice else True,
                error=told,
            )

    async def _choose(self, case: Case) -> Choice:
        chat = await providers.chat_model()
        return await choose(chat, case.messages, model=self._model, choices=self._labels)

    def _count_refusal(self, error: ProviderRefused) -> None:
        """Raise `error` unless it is about one text alone."""
        self._refused_in_a_row += 1
        if error.status not in OF_ONE_TEXT or self._refused_in_a_row > MAX_REFUSED_IN_A_ROW:
            raise error

    async def _close(self) -> None:
        for task in self._asked:
            task.cancel()
        await asyncio.gather(*self._asked, return_exceptions=True)
        await providers.close_chat_model()
