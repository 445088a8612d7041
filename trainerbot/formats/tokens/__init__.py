"""Exact token counts without a network: OpenAI's o200k_base and our own SmolLM2."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final, Protocol

from trainerbot.errors import InvalidInput
from trainerbot.formats.rows import Kind
from trainerbot.formats.tokens.histogram import Bucket, Histogram, TokenReport, estimate_epochs

__all__ = [
    "Bucket",
    "Histogram",
    "TokenCounter",
    "TokenReport",
    "counter",
    "estimate_epochs",
]

# By name, so that nobody loads a tokenizer who counts nothing.
_COUNTERS: Final = {
    "o200k_base": "trainerbot.formats.tokens.o200k",
    "smollm2": "trainerbot.formats.tokens.smollm2",
}


class TokenCounter(Protocol):
    """Counts the tokens of whole records; safe to use from several threads."""

    @property
    def name(self) -> str:
        """What `counter` knows it by."""
        ...

    def count(self, records: Sequence[Mapping[str, Any]], kind: Kind) -> list[int]:
        """Return how many tokens each record has, all of them of one kind."""
        ...


def counter(name: str) -> TokenCounter:
    """Return the counter `name`, loaded once: "o200k_base" or "smollm2".

    Raises InvalidInput for another name, TrainerBotError when what it needs
    is not installed.
    """
    if name not in _COUNTERS:
        raise InvalidInput(
            f"There is no token counter {name[:40]!r}. Use {' or '.join(_COUNTERS)}."
        )
    return _load(name)


@cache
def _load(name: str) -> TokenCounter:
    load: Callable[[], TokenCounter] = import_module(_COUNTERS[name]).load
    return load()
