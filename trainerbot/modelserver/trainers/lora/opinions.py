"""What a model thinks of every token that could come next, in short.

Nearly all of it lies with a few tokens; the others count together. So it is
small enough to keep, and the untouched model is asked once and not at every step.
"""

from typing import Any

import torch

_N_LIKELY = 64


def opinion(logits: Any) -> tuple[list[list[int]], list[list[float]]]:
    """Return the likely tokens of each row of `logits`, and `shares` of them."""
    likely = logits.topk(min(_N_LIKELY, logits.shape[-1] - 1)).indices
    return likely.tolist(), shares(logits, likely).tolist()


def shares(logits: Any, likely: Any) -> Any:
    """Return the log-probabilities of the tokens `likely`, and behind them of all others together.

    `logits` has shape (tokens, vocabulary), `likely` (tokens, n), the result (tokens, n + 1).
    """
    logits = logits.float()
    others = logits.scatter(-1, likely, -torch.inf).logsumexp(-1, keepdim=True)
    return torch.cat([logits.gather(-1, likely), others], -1).log_softmax(-1)


def drift(logits: Any, likely: Any, untouched: Any) -> Any:
    """Return the Kullback-Leibler divergence of `logits` from the opinion `untouched`, summed."""
    return torch.nn.functional.kl_div(
        shares(logits, likely), untouched, log_target=True, reduction="sum"
    )
