"""Vectors of texts, at any endpoint that speaks OpenAI's API."""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, cast

from trainerbot.endpoints import Endpoint, ModelInfo

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_PROVIDER: Final = "trainerbot.llm.providers.openai_embeddings"


class Embedded(NamedTuple):
    """What came of some texts.

    vectors: float32, shape (n_texts, n_dimensions), in the order of the texts.
    n_tokens: as the endpoint counted them; 0 where it does not tell.
    """

    vectors: "npt.NDArray[np.float32]"
    n_tokens: int


class EmbeddingModels(Protocol):
    """A way to the embedding models of one endpoint; safe to share among threads."""

    def embed(self, texts: Sequence[str], *, model: str) -> Embedded:
        """Return the vectors of up to 100 texts, of which none is empty.

        Blocks until there is an answer: never on an event loop. Raises
        ProviderUnavailable, and ProviderRefused also for an answer with too
        few vectors, or of several lengths, or that are no numbers.
        """
        ...

    def models(self) -> list[ModelInfo]:
        """Return all that the endpoint lists, of every kind. Raises as `embed`."""
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


def open_embeddings(endpoint: Endpoint) -> EmbeddingModels:
    """Return a way to the models at `endpoint`. Connects to nothing yet.

    The first call imports the SDK (about a second). Close what is returned.
    """
    provider = import_module(_PROVIDER)
    return cast("EmbeddingModels", provider.OpenAICompatibleEmbeddings(endpoint))
