"""An embedding model at an endpoint, asked with little patience and not again at once."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dashboard.services.storage import storable
from trainerbot.endpoints import Endpoint
from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.llm.embeddings import EmbeddingModels, open_embeddings

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

AT_ONCE = 100
"""Texts of one request."""

MAX_CHARACTERS = 1_000
"""Of a text that is embedded; what a question is about stands at its beginning."""

PATIENCE_S = 2.0
"""For the vector of a question that somebody waits for; then its words have to do."""

LEFT_ALONE_S = 2.0
MOST_LEFT_ALONE_S = 30.0
"""After a failure, and after each further one twice as long, up to the most.

Not every question waits for a model that does not answer; one that is only
being loaded, which takes two or three seconds, is soon asked again.
"""

log = logging.getLogger(__name__)
_lock = threading.Lock()
_n_tokens: dict[str, int] = {}
_opening = threading.Lock()
_clients: dict[Endpoint, EmbeddingModels] = {}


class WrongDimensions(ProviderRefused):
    """The model gives vectors of another length than those that it was calibrated with.

    space: what the vectors were called that it gave before.
    """

    space = ""


class AskedModel:
    """An `Embedder` over HTTP: one model at one endpoint. Safe to share among threads.

    n_dimensions: how long its vectors must be; None while that is not known.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        *,
        name: str = "",
        n_dimensions: int | None = None,
        is_waited_for: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name or model
        self._endpoint = endpoint
        if is_waited_for:
            self._endpoint = hurried(endpoint)
        self._model = model
        self._n_dimensions = n_dimensions
        self._clock = clock
        self._left_alone_until = 0.0 if is_waited_for else None
        self._left_alone_s = LEFT_ALONE_S

    def embed(self, texts: Sequence[str]) -> "npt.NDArray[np.float32]":
        """See `Embedder.embed`. For LEFT_ALONE_S and more after a failure it fails at once."""
        import numpy as np

        if self._left_alone_until is not None and self._clock() < self._left_alone_until:
            raise ProviderUnavailable("The embedding model failed just now; words have to do.")
        try:
            found = [
                self._asked(texts[start : start + AT_ONCE])
                for start in range(0, len(texts), AT_ONCE)
            ]
        except (ProviderUnavailable, ProviderRefused) as error:
            # Of several that failed at once the first counts.
            if self._left_alone_until is not None and self._clock() >= self._left_alone_until:
                wait_s = self._left_alone_s
                self._left_alone_until = self._clock() + wait_s
                self._left_alone_s = min(2 * wait_s, MOST_LEFT_ALONE_S)
                log.warning("For %g s questions are compared by words: %s", wait_s, error)
            raise
        self._left_alone_s = LEFT_ALONE_S
        return np.vstack(found)

    def _asked(self, texts: Sequence[str]) -> "npt.NDArray[np.float32]":
        # Endpoints refuse an empty text, and all that came with it. Half a character,
        # which a browser may send, cannot be sent on.
        cut = [storable(text[:MAX_CHARACTERS]).strip() or "." for text in texts]
        told = client(self._endpoint).embed(cut, model=self._model)
        with _lock:
            _n_tokens[self._model] = _n_tokens.get(self._model, 0) + told.n_tokens
        n_dimensions = told.vectors.shape[1]
        if self._n_dimensions not in (None, n_dimensions):
            wrong = WrongDimensions(
                f"The model {self._model} gives vectors of {n_dimensions} numbers now, and gave "
                f"{self._n_dimensions} before. It is calibrated anew."
            )
            wrong.space = self.name
            raise wrong
        return told.vectors


def client(endpoint: Endpoint) -> EmbeddingModels:
    """The one shared client of all threads for an endpoint."""
    with _opening:
        if endpoint not in _clients:
            _clients[endpoint] = open_embeddings(endpoint)
        return _clients[endpoint]


def close_clients() -> None:
    """Close all of them; the next question opens its own."""
    with _opening:
        closing = list(_clients.values())
        _clients.clear()
    for each in closing:
        each.close()


def hurried(endpoint: Endpoint) -> Endpoint:
    """The same endpoint, asked with the patience of somebody who waits for it."""
    return replace(endpoint, timeout_s=PATIENCE_S, max_retries=0)


def take_tokens() -> dict[str, int]:
    """Return the tokens that models read since this was last asked in this process, by model."""
    with _lock:
        taken = dict(_n_tokens)
        _n_tokens.clear()
    return taken


def give_back_tokens(taken: dict[str, int]) -> None:
    """Count tokens again that could not be written down."""
    with _lock:
        for model, n_tokens in taken.items():
            _n_tokens[model] = _n_tokens.get(model, 0) + n_tokens
