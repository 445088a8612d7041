"""/v1/fine_tuning/checkpoints/{checkpoint}/permissions: kept and told back, as OpenAI does.

There are no projects here: whoever has a key may use every model.
"""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainerbot.errors import NotFound
from trainerbot.modelserver.api import wire
from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.api.pages import newest_first, page
from trainerbot.modelserver.api.requests import read_body, whole_number
from trainerbot.modelserver.store import Store

Given = ParamSpec("Given")
Result = TypeVar("Result")
_MOST_PROJECTS = 100
_MOST_CHARACTERS = 200


class PermissionBody(msgspec.Struct):
    """POST /v1/fine_tuning/checkpoints/{checkpoint}/permissions."""

    project_ids: list[str]


def routes(store: Store) -> list[Route]:
    """Return the routes of a checkpoint's permissions."""

    async def create(request: Request) -> Response:
        body = await read_body(request, PermissionBody)
        _check_projects(body.project_ids)
        made = await _found(store.add_permissions, _checkpoint(request), body.project_ids)
        return page([wire.permission_object(row) for row in made], False)

    async def index(request: Request) -> Response:
        query = request.query_params
        limit = whole_number(request, "limit", default=10, low=0, high=100)
        found = await _found(
            lambda: store.permissions(
                _checkpoint(request),
                after=query.get("after"),
                limit=limit,
                newest_first=newest_first(request, ascending="ascending", descending="descending"),
                project_id=query.get("project_id"),
            )
        )
        return page([wire.permission_object(row) for row in found.rows], found.has_more)

    async def delete(request: Request) -> Response:
        permission_id = request.path_params["permission_id"]
        await _found(store.delete_permission, _checkpoint(request), permission_id)
        return JSONResponse(
            {"id": permission_id, "object": "checkpoint.permission", "deleted": True}
        )

    # A model's name may hold the slash of its base model's name.
    permissions = "/v1/fine_tuning/checkpoints/{checkpoint:path}/permissions"
    return [
        Route(permissions, create, methods=["POST"]),
        Route(permissions, index, methods=["GET"]),
        Route(f"{permissions}/{{permission_id}}", delete, methods=["DELETE"]),
    ]


def _checkpoint(request: Request) -> str:
    checkpoint: str = request.path_params["checkpoint"]
    return checkpoint


async def _found(call: Callable[Given, Result], /, *args: Given.args, **kw: Given.kwargs) -> Result:
    try:
        return await asyncio.to_thread(call, *args, **kw)
    except NotFound as error:
        param = "permission_id" if "permission" in str(error) else "fine_tuned_model_checkpoint"
        raise ApiError(str(error), status=404, param=param) from error


def _check_projects(project_ids: list[str]) -> None:
    if not 1 <= len(project_ids) <= _MOST_PROJECTS:
        raise ApiError(
            f"Invalid 'project_ids': between 1 and {_MOST_PROJECTS} are possible.",
            param="project_ids",
            code="invalid_value",
        )
    if any(not 1 <= len(project_id) <= _MOST_CHARACTERS for project_id in project_ids):
        raise ApiError(
            f"Invalid 'project_ids': each has between 1 and {_MOST_CHARACTERS} characters.",
            param="project_ids",
            code="invalid_value",
        )
