"""The fine-tune methods that this server offers, and their hyperparameters."""

import importlib.util
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from trainerbot.errors import InvalidInput, ProviderUnavailable

# Learning rates that a learning_rate_multiplier of 1 stands for.
BASE_LEARNING_RATE = {"supervised": 2e-4, "dpo": 2e-5}
# Only found, never imported: they take seconds and hundreds of megabytes.
_PACKAGES = ("torch", "transformers", "peft", "trl", "datasets", "accelerate", "safetensors")
_BILLION = 10**9


class TrainingNotInstalled(ProviderUnavailable):
    """This machine lacks the packages that change weights; the sentence says how to get them."""

    retryable = False

    def __init__(self) -> None:
        super().__init__(
            "Real training (methods supervised and dpo) is not installed on this model server. "
            "Install it with: python3 run.py --with train"
        )


@dataclass(frozen=True, slots=True)
class Size:
    """What "auto" is chosen by. `n_parameters` and `context_tokens` are of the base model."""

    n_examples: int
    n_parameters: int = 0
    context_tokens: int = 2048


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """A number that a job may set, within [low, high]; `auto` chooses it by the size."""

    low: float
    high: float
    auto: Callable[[Size], float]
    whole: bool = True

    def checked(self, name: str, value: object) -> float | int | str:
        """Return `value` when it is "auto" or in range. Raises InvalidInput."""
        if value == "auto":
            return "auto"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidInput(f"The hyperparameter {name} must be a number or 'auto'.")
        # Also false for NaN, and for a whole number that no float could hold.
        if not self.low <= value <= self.high:
            raise InvalidInput(
                f"The hyperparameter {name} must lie between {self.low} and {self.high}."
            )
        if self.whole and value != int(value):
            raise InvalidInput(f"The hyperparameter {name} must be a whole number.")
        return int(value) if self.whole else float(value)


@dataclass(frozen=True, slots=True)
class Method:
    """A fine-tune method: what it does, in words for every model row, and what can be set.

    `rows` is what its files hold: conversations, or pairs of answers.
    `changes_weights`: it trains, and needs the packages for that.
    """

    notes: str
    hyperparameters: Mapping[str, Hyperparameter]
    rows: Literal["chat", "preference"] = "chat"
    changes_weights: bool = False

    def requested(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return every hyperparameter, "auto" where none was given. Raises InvalidInput."""
        unknown = [
            name
            for name, value in given.items()
            # Clients of OpenAI send its own three as "auto"; that asks for nothing.
            if name not in self.hyperparameters and value != "auto"
        ]
        if unknown:
            raise InvalidInput(
                f"This method has no hyperparameter '{unknown[0]}'. "
                f"It has: {', '.join(self.hyperparameters)}."
            )
        return {
            name: kind.checked(name, given.get(name, "auto"))
            for name, kind in self.hyperparameters.items()
        }

    def chosen(self, requested: Mapping[str, Any], size: Size) -> dict[str, Any]:
        """Return `requested` with a number for every "auto"."""
        return {
            name: kind.auto(size) if requested[name] == "auto" else requested[name]
            for name, kind in self.hyperparameters.items()
        }


def _n_epochs(size: Size) -> int:
    """Return enough passes that a small file is seen 400 rows' worth, within 3 to 12."""
    if size.n_examples > 10_000:
        return 1
    return max(3, min(12, math.ceil(400 / max(size.n_examples, 1))))


def _batch_size(size: Size) -> int:
    """Return 0.2% of the examples as OpenAI does, within 4 to 32."""
    return max(4, min(32, round(size.n_examples * 0.002)))


def _multiplier(size: Size) -> float:
    """Return how much faster than the base learning rate a model of this size likes to learn.

    The best rate of LoRA falls with the width of the model (Schulman et al.
    2025, "LoRA Without Regret").
    """
    if size.n_parameters < 0.3 * _BILLION:
        return 5.0
    if size.n_parameters < _BILLION:
        return 3.0
    return 2.0 if size.n_parameters < 4 * _BILLION else 1.0


def _valid_fraction(size: Size) -> float:
    if size.n_examples < 40:
        return 0.0
    return 0.05 if size.n_examples < 4000 else round(200 / size.n_examples, 4)


_LORA = {
    "n_epochs": Hyperparameter(1, 50, auto=_n_epochs),
    "batch_size": Hyperparameter(1, 256, auto=_batch_size),
    "learning_rate_multiplier": Hyperparameter(1e-4, 1e4, auto=_multiplier, whole=False),
    "lora_rank": Hyperparameter(1, 256, auto=lambda size: 16),
    "lora_alpha": Hyperparameter(1, 1024, auto=lambda size: 32),
    "max_tokens_per_example": Hyperparameter(
        16, 131_072, auto=lambda size: min(size.context_tokens, 2048)
    ),
    "valid_fraction": Hyperparameter(0.0, 0.5, auto=_valid_fraction, whole=False),
    "early_stopping_patience": Hyperparameter(0, 50, auto=lambda size: 0),
}

METHODS = {
    "knn": Method(
        notes=(
            "No weights changed: the base model with an index of the training examples. A "
            "question nearly identical to a trained one gets the stored answer word for word; "
            "for any other, the nearest examples are shown to the base model."
        ),
        hyperparameters={
            "n_neighbors": Hyperparameter(1, 8, auto=lambda size: 3),
            "n_steps": Hyperparameter(1, 100, auto=lambda size: min(10, size.n_examples)),
            "valid_fraction": Hyperparameter(
                0.0, 0.5, auto=lambda size: 0.2 if size.n_examples < 100 else 0.1, whole=False
            ),
            "n_eval_questions": Hyperparameter(0, 50, auto=lambda size: 6),
            "max_eval_tokens": Hyperparameter(1, 512, auto=lambda size: 48),
        },
    ),
    "supervised": Method(
        notes=(
            "Weights changed: a LoRA adapter trained on the assistant's words of the training "
            "examples, added to the untouched base model."
        ),
        hyperparameters={
            **_LORA,
            # Small models forget the rest of the world while they learn.
            "rehearsal_ratio": Hyperparameter(
                0.0,
                4.0,
                auto=lambda size: 1.0 if 0 < size.n_parameters < _BILLION else 0.0,
                whole=False,
            ),
        },
        changes_weights=True,
    ),
    "dpo": Method(
        notes=(
            "Weights changed: a LoRA adapter trained by direct preference optimisation to favour "
            "the preferred answers over the others, added to the untouched base model."
        ),
        hyperparameters={
            "beta": Hyperparameter(0.001, 10.0, auto=lambda size: 0.1, whole=False),
            **_LORA,
        },
        rows="preference",
        changes_weights=True,
    ),
}


@cache
def training_installed() -> bool:
    """Return whether the packages that change weights are installed. Imports none of them."""
    return all(importlib.util.find_spec(name) is not None for name in _PACKAGES)


def available_methods() -> list[str]:
    """Return the names of the methods that this installation can run, the quickest one first."""
    return [
        name
        for name, method in METHODS.items()
        if not method.changes_weights or training_installed()
    ]


def default_method() -> str:
    """Return what a job that names no method is trained by: as at OpenAI, where it is installed."""
    return "supervised" if training_installed() else "knn"


def require_method(name: str) -> Method:
    """Return the method `name`, one of METHODS. Raises TrainingNotInstalled."""
    method = METHODS[name]
    if method.changes_weights and not training_installed():
        raise TrainingNotInstalled
    return method
