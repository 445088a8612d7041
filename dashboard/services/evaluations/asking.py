"""One model asked to choose among labels, many texts at the same time."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dashboard.services import providers
from dashboard.services.asking import AT_ONCE, AT_ONCE_OURS, Crowd
from dashboard.services.evaluations.cases import Case
from trainerbot.endpoints.failures import TOO_LONG
from trainerbot.errors import ProviderRefused
from trainerbot.llm.choosing import Choice, choose

# Longer than any model reads; what is left of it is cut by trying.
MAX_CHARACTERS: Final = 2_000_000
SHORTEST: Final = 40
KEPT_SHARE: Final = 0.7


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


class Asker(Crowd[Answered]):
    """Asks one model to choose among labels. Use it as a context manager, in one thread."""

    def __init__(self, *, model: str, labels: Sequence[str]) -> None:
        at_once = AT_ONCE_OURS if providers.uses_embedded_server() else AT_ONCE
        super().__init__(at_once=at_once, close=providers.close_chat_model)
        self._model = model
        self._labels = tuple(labels)

    def ask(self, key: int, case: Case) -> None:
        """Ask about one more text, under a key that its answer will bear."""
        self.add(self._ask(key, case))

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
                choice, told = None, self.refused(error)
            else:
                told = ""
                self.accepted()
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
