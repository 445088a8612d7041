"""/v1/models: list, retrieve, delete."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainerbot.modelserver.api import wire
from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.exports import Exports
from trainerbot.modelserver.records import StoredModel
from trainerbot.modelserver.store import Store


def routes(store: Store, catalog: Catalog, exports: Exports) -> list[Route]:
    """Return the routes of /v1/models."""

    def tuned_object(model: StoredModel) -> dict[str, Any]:
        base = catalog.bases.get(model.base_model)
        name = None if base is None else catalog.runtime_name(base)
        return wire.tuned_model_object(model, base, name)

    def index(request: Request) -> Response:
        data = [wire.base_model_object(base, catalog.runtime_name(base)) for base in catalog.bases]
        data += [wire.sentence_model_object(name) for name in catalog.sentences]
        data += [tuned_object(model) for model in store.models()]
        return JSONResponse({"object": "list", "data": data})

    def retrieve(request: Request) -> Response:
        model_id = request.path_params["model_id"]
        base = catalog.bases.get(model_id)
        if base is not None:
            return JSONResponse(wire.base_model_object(base, catalog.runtime_name(base)))
        if model_id in catalog.sentences:
            return JSONResponse(wire.sentence_model_object(model_id))
        model = store.model(model_id)
        if model is None:
            raise _not_found(model_id)
        return JSONResponse(tuned_object(model))

    async def delete(request: Request) -> Response:
        model_id = request.path_params["model_id"]
        if catalog.bases.get(model_id) is not None or model_id in catalog.sentences:
            raise ApiError(
                f"The base model '{model_id}' belongs to this server and cannot be deleted.",
                status=403,
                param="model",
            )
        model = await asyncio.to_thread(store.model, model_id)
        if model is None or not await asyncio.to_thread(store.delete_model, model_id):
            raise _not_found(model_id)
        await catalog.forget(model)
        await exports.forget(model, catalog.bases.get(model.base_model))
        return JSONResponse({"id": model_id, "object": "model", "deleted": True})

    return [
        Route("/v1/models", index, methods=["GET"]),
        # The name of a model from a hub has a slash.
        Route("/v1/models/{model_id:path}", retrieve, methods=["GET"]),
        Route("/v1/models/{model_id:path}", delete, methods=["DELETE"]),
    ]


def _not_found(model_id: str) -> ApiError:
    return ApiError(
        f"The model '{model_id}' does not exist",
        status=404,
        param="model",
        code="model_not_found",
    )
