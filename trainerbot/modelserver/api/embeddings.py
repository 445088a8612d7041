"""POST /v1/embeddings: vectors of texts, by a base model."""

import base64
import math
import struct
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainerbot.modelserver.api.errors import ApiError, as_api_error, model_not_found
from trainerbot.modelserver.api.limits import spend_tokens
from trainerbot.modelserver.api.requests import in_range, read_body
from trainerbot.modelserver.api.streams import unless_gone
from trainerbot.modelserver.catalog import Catalog, UnknownModel
from trainerbot.modelserver.runtimes.base import ContextTooLong

_MAX_INPUTS = 2048
_MAX_TOKENS = 300_000

Inputs = str | list[str | int | list[int]]


class EmbeddingsBody(msgspec.Struct, forbid_unknown_fields=True):
    """POST /v1/embeddings. `user` changes nothing here."""

    model: str
    input: Inputs
    dimensions: int | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None


def routes(catalog: Catalog, *, as_numbers: bool) -> list[Route]:
    """Return the route of /v1/embeddings.

    With `as_numbers` nobody gets base64, asked for or not: OpenAI's published
    description knows numbers only, though its SDKs ask for base64 unasked.
    """

    async def create(request: Request) -> Response:
        body = await read_body(request, EmbeddingsBody)
        inputs = _inputs(body.input)
        in_range("dimensions", body.dimensions, low=1)
        try:
            told = await unless_gone(request.receive, catalog.embed(body.model, inputs))
        except UnknownModel as error:
            raise model_not_found(error.model_id) from error
        except ContextTooLong as error:
            raise ApiError(str(error), param="input", code=as_api_error(error).code) from error
        spend_tokens(request, told.n_tokens)
        data = [
            {"object": "embedding", "index": i, "embedding": _written(vector, body, as_numbers)}
            for i, vector in enumerate(told.vectors)
        ]
        usage = {"prompt_tokens": told.n_tokens, "total_tokens": told.n_tokens}
        return JSONResponse({"object": "list", "data": data, "model": body.model, "usage": usage})

    return [Route("/v1/embeddings", create, methods=["POST"])]


def _inputs(given: Inputs) -> list[str] | list[list[int]]:
    """Return texts, or lists of token ids. Raises ApiError for a mixture, or too many."""
    if isinstance(given, str):
        given = [given]
    if not given:
        raise ApiError(
            "Invalid 'input': empty array. Expected an array with minimum length 1, but got an "
            "empty array instead.",
            param="input",
            code="empty_array",
        )
    if len(given) > _MAX_INPUTS:
        raise ApiError(
            f"Invalid 'input': array too long. Expected an array with maximum length "
            f"{_MAX_INPUTS}, but got an array with length {len(given)} instead.",
            param="input",
            code="array_above_max_length",
        )
    texts = [one for one in given if isinstance(one, str)]
    tokens = [one for one in given if isinstance(one, int)]
    lists = [one for one in given if isinstance(one, list)]
    if len(given) not in (len(texts), len(tokens), len(lists)):
        raise ApiError(
            "Invalid type for 'input': expected one of a string, an array of strings, an array of "
            "integers or an array of such arrays.",
            param="input",
            code="invalid_type",
        )
    lists = [tokens] if tokens else lists
    for i, one in enumerate(texts or lists):
        if not one:
            raise ApiError(
                "Invalid 'input': input cannot be an empty string."
                if texts
                else "Invalid 'input': input cannot be an empty array.",
                param=f"input[{i}]",
                code="invalid_value",
            )
    if any(not 0 <= token < 2**31 for one in lists for token in one):
        raise ApiError(
            "Invalid 'input': a token is a whole number of 0 or more.",
            param="input",
            code="invalid_value",
        )
    # Of a text no more tokens come than it has bytes; what it has exactly, the model tells.
    if sum(map(len, lists)) > _MAX_TOKENS or sum(map(len, texts)) > 16 * _MAX_TOKENS:
        raise ApiError(
            f"Invalid 'input': maximum request size is {_MAX_TOKENS} tokens per request.",
            param="input",
            code="max_tokens_per_request",
        )
    return texts or lists


def _written(vector: Sequence[float], body: EmbeddingsBody, as_numbers: bool) -> Any:
    if body.dimensions is not None:
        if body.dimensions > len(vector):
            raise ApiError(
                f"Invalid value for 'dimensions' = {body.dimensions}. Must be less than or equal "
                f"to {len(vector)}.",
                param="dimensions",
            )
        vector = vector[: body.dimensions]
        # Shorter vectors have to be of length 1 again.
        length = math.hypot(*vector) or 1.0
        vector = [number / length for number in vector]
    if body.encoding_format == "base64" and not as_numbers:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    return list(vector)
