"""A runtime without weights: it says its name, and the tuned model's where one is asked."""

from collections.abc import Sequence

from trainerbot.errors import ProviderUnavailable
from trainerbot.messages import ChatMessage
from trainerbot.modelserver.runtimes.base import (
    Adapter,
    Answer,
    Embeddings,
    EmbeddingsAbsent,
    Finish,
    Options,
    Piece,
    Start,
)


class Saying:
    """Fails, where an adapter's file cannot be read, as a real runtime does."""

    name = "saying"
    state = "ready"

    def __init__(self, words: str) -> None:
        self.words = words
        self.forgotten: list[str] = []
        self.questions: list[str] = []

    async def stream(
        self, messages: Sequence[ChatMessage], options: Options, adapter: Adapter | None = None
    ) -> Answer:
        self.questions.append(messages[-1].content)
        if adapter is not None and not adapter.files["adapter.gguf"].exists():
            raise ProviderUnavailable("The adapter could not be loaded.")
        yield Start(self.name)
        yield Piece(self.words if adapter is None else f"{self.words} with {adapter.id}")
        yield Finish("stop", 1, 1)

    async def embed(self, inputs: Sequence[str] | Sequence[Sequence[int]]) -> Embeddings:
        raise EmbeddingsAbsent

    async def count_tokens(self, text: str) -> int:
        return len(text.split())

    async def warm_up(self) -> None:
        """Nothing is loaded."""

    async def forget(self, adapter_id: str) -> None:
        self.forgotten.append(adapter_id)

    def interrupt(self) -> None:
        """Nothing runs."""

    async def close(self) -> None:
        """Nothing is held."""
