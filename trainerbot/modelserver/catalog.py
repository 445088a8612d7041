"""Every model that can answer here, base and tuned, by its id."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing

from trainerbot.errors import InvalidInput, NotFound, ProviderUnavailable
from trainerbot.messages import ChatMessage
from trainerbot.modelserver.bases import BaseModel, Bases
from trainerbot.modelserver.examples import TUNED, read_examples
from trainerbot.modelserver.records import StoredModel
from trainerbot.modelserver.runtimes.base import (
    Adapter,
    Answer,
    ChatRuntime,
    Embeddings,
    EmbeddingsAbsent,
    Options,
    RuntimeAbsent,
)
from trainerbot.modelserver.runtimes.knn import KnnModel
from trainerbot.modelserver.runtimes.llamacpp import LlamaCpp
from trainerbot.modelserver.runtimes.memory import Memory
from trainerbot.modelserver.runtimes.sentences import SentenceModel
from trainerbot.modelserver.store import Store

log = logging.getLogger(__name__)


class UnknownModel(NotFound):
    """No model has this id; `model_id` is the id."""

    def __init__(self, model_id: str) -> None:
        super().__init__(f"The model `{model_id}` does not exist.")
        self.model_id = model_id


class BaseGone(ProviderUnavailable):
    """A tuned model's base model is not among those that the server was started with."""

    retryable = False

    def __init__(self, model_id: str, base_model: str) -> None:
        super().__init__(
            f"The model `{model_id}` was made from {base_model}, which this server was started "
            "without. Start it with that model (--model) again."
        )


class _Index:
    """The index of one model of method knn, while it is in memory."""

    is_idle = True  # a running answer keeps what it reads

    def __init__(self) -> None:
        self.model: KnnModel | None = None

    async def unload(self) -> None:
        """Forget it; the next question reads it again."""
        self.model = None


class Catalog:
    """Finds a model by id and lets it answer. What was used last stays in memory.

    `runtimes` has one for each of `bases`, by their ids. `sentences` are models
    that make embeddings and nothing else, by theirs.
    """

    def __init__(
        self,
        store: Store,
        bases: Bases,
        runtimes: Mapping[str, ChatRuntime],
        memory: Memory,
        sentences: Mapping[str, SentenceModel] | None = None,
    ) -> None:
        self.sentences = sentences or {}
        self._store = store
        self._bases = bases
        self._runtimes = runtimes
        self._absent = LlamaCpp(None)
        self._memory = memory
        self._indexes: dict[str, _Index] = {}
        self._reading = asyncio.Lock()

    @property
    def bases(self) -> Bases:
        """The base models."""
        return self._bases

    @property
    def runtime(self) -> ChatRuntime:
        """The runtime of the first base model, which /healthz tells of; one of no model if none."""
        base = self._bases.default
        return self._absent if base is None else self._runtimes[base.id]

    def base_of(self, model_id: str) -> BaseModel:
        """Return the base model with this id, or that a tuned model was made from.

        Not for the event loop. Raises UnknownModel, BaseGone, InvalidInput for a
        model of embeddings alone, and RuntimeAbsent where this server has no
        base model at all.
        """
        base = self._bases.get(model_id)
        if base is not None:
            return base
        if model_id in self.sentences:
            raise InvalidInput(
                f"The model `{model_id}` makes embeddings and nothing else. Name another one."
            )
        tuned = self._store.model(model_id)
        if tuned is not None:
            base = self._bases.get(tuned.base_model)
            if base is None:
                raise BaseGone(model_id, tuned.base_model)
            return base
        if self._bases.default is None:
            raise RuntimeAbsent
        raise UnknownModel(model_id)

    def runtime_name(self, base: BaseModel) -> str:
        """Return the word for what lets the base model answer: "llama.cpp" or another."""
        return self._runtimes[base.id].name

    async def runtime_of(self, model_id: str) -> ChatRuntime:
        """Return what lets the base model answer: this one, or that of a tuned model.

        Raises as `base_of`.
        """
        base = await asyncio.to_thread(self.base_of, model_id)
        return self._runtimes[base.id]

    async def answer(
        self, model_id: str, messages: Sequence[ChatMessage], options: Options
    ) -> Answer:
        """Return the answer's stream, as ChatRuntime.stream. Raises as `base_of`."""
        base = self._bases.get(model_id)
        if base is not None:
            return self._runtimes[base.id].stream(messages, options)
        runtime = await self.runtime_of(model_id)
        tuned = await asyncio.to_thread(self._store.model, model_id)
        if tuned is None:
            raise UnknownModel(model_id)
        if TUNED in tuned.files:
            return (await self._index(tuned)).answer(messages, options, runtime)
        return self._unless_deleted(
            runtime.stream(messages, options, self._adapter(tuned)), model_id
        )

    async def embed(
        self, model_id: str, inputs: Sequence[str] | Sequence[Sequence[int]]
    ) -> Embeddings:
        """Return vectors, as ChatRuntime.embed. Raises as `base_of`.

        A model of method knn has its base model's weights, and so its vectors.
        """
        if model_id in self.sentences:
            return await self.sentences[model_id].embed(inputs)
        runtime = await self.runtime_of(model_id)
        if self._bases.get(model_id) is None:
            tuned = await asyncio.to_thread(self._store.model, model_id)
            if tuned is None:
                raise UnknownModel(model_id)
            if TUNED not in tuned.files:
                raise EmbeddingsAbsent
        return await runtime.embed(inputs)

    async def forget(self, tuned: StoredModel) -> None:
        """Keep nothing in memory of a tuned model that was deleted. Running answers go on."""
        index = self._indexes.pop(tuned.id, None)
        if index is not None:
            self._memory.gone(index)
        runtime = self._runtimes.get(tuned.base_model)
        if runtime is not None:
            await runtime.forget(tuned.id)

    def interrupt(self) -> None:
        """End every answer with an error: the server stops."""
        for runtime in self._runtimes.values():
            runtime.interrupt()

    async def close(self) -> None:
        """Stop what is being answered and free every model."""
        for sentences in self.sentences.values():
            sentences.close()
        for runtime in self._runtimes.values():
            await runtime.close()

    def _adapter(self, tuned: StoredModel) -> Adapter:
        blobs = self._store.blobs
        return Adapter(tuned.id, {name: blobs.path(sha) for name, sha in tuned.files.items()})

    async def _unless_deleted(self, answer: Answer, model_id: str) -> Answer:
        """Yield the answer; say that the model is gone where it was deleted before it loaded."""
        async with aclosing(answer):
            try:
                async for event in answer:
                    yield event
            except (ProviderUnavailable, OSError) as error:
                if await asyncio.to_thread(self._store.model, model_id) is None:
                    raise UnknownModel(model_id) from error
                if isinstance(error, OSError):
                    log.exception("The files of %s cannot be read", model_id)
                    raise ProviderUnavailable(
                        f"The files of the model `{model_id}` cannot be read on this server."
                    ) from error
                raise

    async def _index(self, tuned: StoredModel) -> KnnModel:
        """Return the index, loaded once for all who ask at the same time."""
        while True:
            # Shielded: one client that goes away must not stop the others' loading.
            await asyncio.shield(asyncio.ensure_future(self._read(tuned)))
            index = self._indexes.get(tuned.id)
            if index is not None and index.model is not None:
                self._memory.used(index)
                return index.model

    async def _read(self, tuned: StoredModel) -> None:
        path = self._store.blobs.path(tuned.files[TUNED])
        async with self._reading:
            index = self._indexes.setdefault(tuned.id, _Index())
            if index.model is not None:
                return
            job = await asyncio.to_thread(self._store.job, tuned.job_id)

            def read() -> KnnModel:
                return KnnModel(
                    read_examples(str(path)), n_neighbors=job.hyperparameters["n_neighbors"]
                )

            async def load() -> None:
                index.model = await asyncio.to_thread(read)

            try:
                n_bytes = (await asyncio.to_thread(path.stat)).st_size
                await self._memory.load(index, load, key=tuned.id, expected_bytes=8 * n_bytes)
            except FileNotFoundError as error:
                # Its file went with its row, in between.
                raise UnknownModel(tuned.id) from error
