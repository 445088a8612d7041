"""The fine-tune methods that this server offers, and their hyperparameters."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trainerbot.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """A number that a job may set, within [low, high]; `auto` chooses it by the example count."""

    low: float
    high: float
    auto: Callable[[int], float]
    whole: bool = True

    def checked(self, name: str, value: object) -> float | int | str:
        """Return `value` when it is "auto" or in range. Raises InvalidInput."""
        if value == "auto":
            return "auto"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidInput(f"The hyperparameter {name} must be a number or 'auto'.")
        if not (math.isfinite(value) and self.low <= value <= self.high):
            raise InvalidInput(
                f"The hyperparameter {name} must lie between {self.low} and {self.high}."
            )
        if self.whole and value != int(value):
            raise InvalidInput(f"The hyperparameter {name} must be a whole number.")
        return int(value) if self.whole else float(value)


@dataclass(frozen=True, slots=True)
class Method:
    """A fine-tune method: what it does, in words for every model row, and what can be set."""

    notes: str
    hyperparameters: Mapping[str, Hyperparameter]

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

    def chosen(self, requested: Mapping[str, Any], n_examples: int) -> dict[str, Any]:
        """Return `requested` with a number for every "auto"."""
        return {
            name: kind.auto(n_examples) if requested[name] == "auto" else requested[name]
            for name, kind in self.hyperparameters.items()
        }


METHODS = {
    "knn": Method(
        notes=(
            "No weights changed: the base model with an index of the training examples. A "
            "question nearly identical to a trained one gets the stored answer word for word; "
            "for any other, the nearest examples are shown to the base model."
        ),
        hyperparameters={
            "n_neighbors": Hyperparameter(1, 8, auto=lambda n: 3),
            "n_steps": Hyperparameter(1, 100, auto=lambda n: min(10, n)),
            "valid_fraction": Hyperparameter(
                0.0, 0.5, auto=lambda n: 0.2 if n < 100 else 0.1, whole=False
            ),
            "n_eval_questions": Hyperparameter(0, 50, auto=lambda n: 6),
            "max_eval_tokens": Hyperparameter(1, 512, auto=lambda n: 48),
        },
    ),
}
