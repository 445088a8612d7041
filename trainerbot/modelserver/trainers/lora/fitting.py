"""How many rows a CPU takes at a time, so that a training fits beside the rest of a small machine."""

from dataclasses import dataclass
from typing import Any

# What the backward pass needs of the forward pass may take so much.
_ROOM_BYTES = 2**30
# Above, recomputing activations is worth the time wherever it trains: they would not fit.
_MANY_PARAMETERS = 10**9


@dataclass(frozen=True, slots=True)
class Fit:
    """A step takes `n_rows` rows `n_times`; `recomputes` its activations instead of keeping them."""

    n_rows: int
    n_times: int
    recomputes: bool


def fit(batch_size: int, *, model: Any, longest_tokens: int, on_gpu: bool) -> Fit:
    """Return how a step of `batch_size` rows, the longest of so many tokens, is divided.

    The result of a step is the same; only a GPU is quicker with many rows at once.
    """
    recomputes = model.num_parameters() > _MANY_PARAMETERS
    if on_gpu:
        return Fit(batch_size, 1, recomputes)
    row_bytes = longest_tokens * _kept_bytes(model)
    n_rows = max(
        n
        for n in range(1, batch_size + 1)
        if batch_size % n == 0 and (n == 1 or n * row_bytes <= _ROOM_BYTES)
    )
    return Fit(n_rows, batch_size // n_rows, recomputes or row_bytes > _ROOM_BYTES)


def _kept_bytes(model: Any) -> int:
    """Return about how much is kept of each token, in single precision.

    A layer with 12 h^2 weights keeps some 24 h numbers: inputs of its
    projections, norms and activations, and those of the adapters.
    """
    config = model.config.get_text_config()
    n_layers = model.num_parameters(exclude_embeddings=True)
    return int(8 * n_layers / config.hidden_size)
