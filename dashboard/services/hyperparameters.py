"""The numbers that a fine-tune can be given: their names, ranges and meanings, by method.

What OpenAI names is told as OpenAI names it; the rest only our own model
server knows. Whoever leaves one out, or writes "auto", lets the endpoint choose.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from trainerbot.errors import InvalidInput

AUTO: Final = "auto"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """A number from `low` to `high`, and in words what it does. `ours`: OpenAI has none so named."""

    name: str
    title: str
    low: float
    high: float
    text: str
    whole: bool = True
    ours: bool = False

    @property
    def span(self) -> str:
        """The range as people read it."""
        return f"{self.low:,g} to {self.high:,g}"

    def checked(self, value: object) -> float | int | None:
        """Return what was typed or given as a number, None for "auto". Raises InvalidInput."""
        if isinstance(value, str):
            value = value.strip()
            if value.casefold() in ("", AUTO):
                return None
            if len(value) > _LONGEST or not _NUMBER.fullmatch(value):
                raise InvalidInput(f"Write {self._kind}, or leave it empty for auto.")
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidInput(f"Write {self._kind}, or leave it empty for auto.")
        # Also false for NaN, and for a whole number that no float could hold.
        if not self.low <= value <= self.high:
            raise InvalidInput(f"Choose a number from {self.low:,g} to {self.high:,g}.")
        if self.whole and value != int(value):
            raise InvalidInput(f"Write {self._kind}, not a part of one.")
        return int(value) if self.whole else float(value)

    @property
    def _kind(self) -> str:
        example = min(max(3 if self.whole else 0.1, self.low), self.high)
        return f"a {'whole ' if self.whole else ''}number such as {example:g}"


_OPENAI = (
    Hyperparameter(
        "n_epochs",
        "Epochs",
        1,
        50,
        "How often the training reads all examples. More learns more by heart.",
    ),
    Hyperparameter(
        "batch_size",
        "Batch size",
        1,
        256,
        "Examples to a step. Larger is steadier, with fewer steps.",
    ),
    Hyperparameter(
        "learning_rate_multiplier",
        "Learning rate multiplier",
        0.0001,
        10_000,
        "Above 1 learns faster, and forgets more of what it knew.",
        whole=False,
    ),
)
_BETA = Hyperparameter(
    "beta",
    "Beta",
    0.001,
    10,
    "How near the new model stays to the old one. Higher stays nearer.",
    whole=False,
)
_LORA = (
    Hyperparameter(
        "lora_rank", "LoRA rank", 1, 256, "How much the adapter can hold; 16 by itself.", ours=True
    ),
    Hyperparameter(
        "lora_alpha",
        "LoRA alpha",
        1,
        1024,
        "How strongly the adapter counts; 32 by itself.",
        ours=True,
    ),
    Hyperparameter(
        "max_tokens_per_example",
        "Tokens of an example",
        16,
        131_072,
        "Longer examples are cut. Fewer need less memory.",
        ours=True,
    ),
    Hyperparameter(
        "valid_fraction",
        "Held out",
        0,
        0.5,
        "The share that is not learned but measured, where the dataset is not split.",
        whole=False,
        ours=True,
    ),
    Hyperparameter(
        "early_stopping_patience",
        "Patience",
        0,
        50,
        "Stop after so many epochs without a better held-out loss. 0 never stops early.",
        ours=True,
    ),
)
_REHEARSAL = Hyperparameter(
    "rehearsal_ratio",
    "Rehearsal",
    0,
    4,
    "General questions learned beside each example, so that a small model forgets less.",
    whole=False,
    ours=True,
)
_KNN = (
    Hyperparameter(
        "n_neighbors", "Examples shown", 1, 8, "How many of the nearest it reads.", ours=True
    ),
    Hyperparameter(
        "valid_fraction",
        "Held out",
        0,
        0.5,
        "The share that is asked about at the end instead of kept.",
        whole=False,
        ours=True,
    ),
    Hyperparameter(
        "n_eval_questions",
        "Questions at the end",
        0,
        50,
        "Asked of the new and of the untouched model. 0 is quickest.",
        ours=True,
    ),
    Hyperparameter(
        "max_eval_tokens",
        "Tokens of their answers",
        1,
        512,
        "Where the answers to those questions are cut.",
        ours=True,
    ),
    Hyperparameter(
        "n_steps", "Steps told", 1, 100, "Into how many steps the work is reported.", ours=True
    ),
)
BY_METHOD: Final[Mapping[str, tuple[Hyperparameter, ...]]] = {
    "knn": _KNN,
    "supervised": (*_OPENAI, *_LORA, _REHEARSAL),
    "dpo": (*_OPENAI, _BETA, *_LORA),
}


def of(method: str) -> tuple[Hyperparameter, ...]:
    """What can be set for a method; nothing for one that we do not know."""
    return BY_METHOD.get(method, ())


def title(name: str) -> str:
    """What people call a hyperparameter, also one that only its endpoint knows."""
    found = (each for known in BY_METHOD.values() for each in known if each.name == name)
    return next((each.title for each in found), name.replace("_", " ").capitalize())


def check(method: str, given: Mapping[str, Any]) -> None:
    """Raise InvalidInput, by name, for a number that `method` cannot use.

    One that we do not know is left to its endpoint.
    """
    for each in of(method):
        if each.name in given:
            try:
                each.checked(given[each.name])
            except InvalidInput as error:
                raise InvalidInput(f"{each.title} ({each.name}): {error}") from error
