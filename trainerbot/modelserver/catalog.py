"""Every model that can answer here, base and tuned, by its id."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from trainerbot.errors import NotFound
from trainerbot.messages import ChatMessage
from trainerbot.modelserver.examples import TUNED, read_examples
from trainerbot.modelserver.records import StoredModel
from trainerbot.modelserver.runtimes.base import (
    Answer,
    ChatRuntime,
    Embeddings,
    EmbeddingsAbsent,
    Options,
    RuntimeAbsent,
)
from trainerbot.modelserver.runtimes.knn import KnnModel
from trainerbot.modelserver.store import Store

_MAX_LOADED = 8


class UnknownModel(NotFound):
    """No model has this id; `model_id` is the id."""

    def __init__(self, model_id: str) -> None:
        super().__init__(f"The model `{model_id}` does not exist.")
        self.model_id = model_id


class Catalog:
    """Finds a model by id and lets it answer. Keeps the tuned models used last in memory."""

    def __init__(self, store: Store, runtime: ChatRuntime) -> None:
        self._store = store
        self._runtime = runtime
        self._loaded: OrderedDict[str, asyncio.Future[KnnModel]] = OrderedDict()

    @property
    def runtime(self) -> ChatRuntime:
        """The base model's runtime."""
        return self._runtime

    async def answer(
        self, model_id: str, messages: Sequence[ChatMessage], options: Options
    ) -> Answer:
        """Return the answer's stream, as ChatRuntime.stream. Raises UnknownModel, RuntimeAbsent."""
        base = self._runtime.row
        if base is None:
            raise RuntimeAbsent
        if model_id == base.id:
            return self._runtime.stream(messages, options)
        tuned = await asyncio.to_thread(self._store.model, model_id)
        if tuned is None:
            self._loaded.pop(model_id, None)
            raise UnknownModel(model_id)
        model = await self._load(tuned)
        return model.answer(messages, options, self._runtime)

    async def embed(
        self, model_id: str, inputs: Sequence[str] | Sequence[Sequence[int]]
    ) -> Embeddings:
        """Return vectors, as ChatRuntime.embed. Raises UnknownModel.

        A model of method knn has its base model's weights, and so its vectors.
        """
        base = self._runtime.row
        if base is None:
            raise RuntimeAbsent
        if model_id != base.id:
            tuned = await asyncio.to_thread(self._store.model, model_id)
            if tuned is None:
                raise UnknownModel(model_id)
            if tuned.method != "knn":
                raise EmbeddingsAbsent
        return await self._runtime.embed(inputs)

    async def _load(self, tuned: StoredModel) -> KnnModel:
        """Return the tuned model, loaded once for all who ask at the same time."""
        loading = self._loaded.get(tuned.id)
        if loading is None:
            loading = asyncio.ensure_future(asyncio.to_thread(self._read, tuned))
            self._loaded[tuned.id] = loading
        self._loaded.move_to_end(tuned.id)
        while len(self._loaded) > _MAX_LOADED:
            self._loaded.popitem(last=False)
        try:
            # Shielded: one client that goes away must not stop the others' loading.
            return await asyncio.shield(loading)
        except Exception:
            self._loaded.pop(tuned.id, None)
            raise

    def _read(self, tuned: StoredModel) -> KnnModel:
        examples = read_examples(str(self._store.blobs.path(tuned.files[TUNED])))
        job = self._store.job(tuned.job_id)
        return KnnModel(examples, n_neighbors=job.hyperparameters["n_neighbors"])
