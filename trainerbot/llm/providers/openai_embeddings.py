"""Embeddings at any OpenAI-shaped endpoint, by one shared OpenAI client."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final

import httpx2
import msgspec
import numpy as np
import numpy.typing as npt
import openai

from trainerbot.endpoints import Endpoint, ModelInfo, failures
from trainerbot.endpoints.openai_sdk import client_settings, failures_in_words, read_models
from trainerbot.llm.embeddings import Embedded

Vectors = npt.NDArray[np.float32]

MOST_DIMENSIONS: Final = 16_384


class _Row(msgspec.Struct):
    embedding: list[float] | str
    index: int = -1


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    total_tokens: int | None = None


class _Answer(msgspec.Struct):
    data: list[_Row]
    usage: _Usage | None = None


class OpenAICompatibleEmbeddings:
    """An `EmbeddingModels` on the openai SDK.

    Answers are read here: the SDK checks neither how many vectors came nor
    that they are of one length.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client = openai.OpenAI(
            **client_settings(endpoint),
            # A proxy is for the internet, not for what runs on this machine.
            http_client=openai.DefaultHttpxClient(trust_env=not endpoint.is_loopback),
        )

    def embed(self, texts: Sequence[str], *, model: str) -> Embedded:
        """See `EmbeddingModels.embed`."""
        with failures_in_words(self._endpoint, f"embedding model {model}"):
            # Not by `embeddings.create`, which takes a third of a millisecond more of somebody's
            # time to look through what is sent.
            content = self._client.post(
                "/embeddings",
                cast_to=httpx2.Response,
                # Half the bytes, where an endpoint knows it; others answer with numbers.
                body={"model": model, "input": list(texts), "encoding_format": "base64"},
            ).content
        try:
            answer = msgspec.json.decode(content, type=_Answer)
            vectors = _vectors(answer.data, len(texts))
        except (msgspec.MsgspecError, binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise failures.not_embeddings(self._endpoint, model) from error
        usage = answer.usage or _Usage()
        return Embedded(vectors, usage.prompt_tokens or usage.total_tokens or 0)

    def models(self) -> list[ModelInfo]:
        """See `EmbeddingModels.models`."""
        with failures_in_words(self._endpoint):
            told: Any = self._client.models.with_raw_response.list()
            content = told.http_response.content
        return read_models(self._endpoint, content)

    def close(self) -> None:
        """See `EmbeddingModels.close`."""
        self._client.close()


def _vectors(rows: list[_Row], n_texts: int) -> Vectors:
    """Return the vectors in the order of the texts. Raises ValueError where they are none."""
    if len(rows) != n_texts:
        raise ValueError(f"{len(rows)} vectors of {n_texts} texts")
    places = [row.index for row in rows]
    if sorted(places) == list(range(n_texts)):
        rows = sorted(rows, key=lambda row: row.index)
    elif any(place != -1 for place in places):
        raise ValueError("The places of the vectors are not those of the texts.")
    vectors = [_numbers(row.embedding) for row in rows]
    if len({len(vector) for vector in vectors}) != 1 or not 1 < len(vectors[0]) <= MOST_DIMENSIONS:
        raise ValueError("The vectors are not of one length.")
    found = np.vstack(vectors)
    if not np.isfinite(found).all():
        raise ValueError("Not all that came are numbers.")
    return found


def _numbers(embedding: list[float] | str) -> Vectors:
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4").astype(
            np.float32
        )
    return np.array(embedding, dtype=np.float32)
