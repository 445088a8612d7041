"""/v1/models: list, retrieve, delete."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainerbot.modelserver.api import wire
from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.store import Store


def routes(store: Store, catalog: Catalog) -> list[Route]:
    """Return the routes of /v1/models."""

    def index(request: Request) -> Response:
        base = catalog.runtime.row
        data = [] if base is None else [wire.base_model_object(base)]
        data += [wire.tuned_model_object(model) for model in store.models()]
        return JSONResponse({"object": "list", "data": data})

    def retrieve(request: Request) -> Response:
        model_id = request.path_params["model_id"]
        base = catalog.runtime.row
        if base is not None and base.id == model_id:
            return JSONResponse(wire.base_model_object(base))
        model = store.model(model_id)
        if model is None:
            raise _not_found(model_id)
        return JSONResponse(wire.tuned_model_object(model))

    def delete(request: Request) -> Response:
        model_id = request.path_params["model_id"]
        base = catalog.runtime.row
        if base is not None and base.id == model_id:
            raise ApiError(
                f"The base model '{model_id}' belongs to this server and cannot be deleted.",
                status=403,
                param="model",
            )
        if not store.delete_model(model_id):
            raise _not_found(model_id)
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
