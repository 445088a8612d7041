"""/v1/chat/completions that were stored: list, retrieve, update, delete, messages."""

import asyncio
import contextlib
from collections.abc import Iterator

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainerbot.errors import NotFound
from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.api.pages import newest_first, page
from trainerbot.modelserver.api.requests import (
    check_metadata,
    metadata_filter,
    read_body,
    whole_number,
)
from trainerbot.modelserver.store import Store


class UpdateBody(msgspec.Struct, forbid_unknown_fields=True):
    """POST /v1/chat/completions/{completion_id}: only the metadata changes."""

    metadata: dict[str, str] | None


def routes(store: Store) -> list[Route]:
    """Return the routes of the stored completions."""

    def index(request: Request) -> Response:
        query = request.query_params
        found = store.completions(
            after=query.get("after"),
            limit=whole_number(request, "limit", default=20, low=0, high=100),
            newest_first=_is_descending(request),
            model=query.get("model"),
            metadata=metadata_filter(request),
        )
        return page(found.rows, found.has_more)

    def retrieve(request: Request) -> Response:
        with _not_found_in_words():
            return JSONResponse(store.completion(_id(request)))

    async def update(request: Request) -> Response:
        body = await read_body(request, UpdateBody)
        check_metadata(body.metadata)
        with _not_found_in_words():
            return JSONResponse(
                await asyncio.to_thread(store.update_completion, _id(request), body.metadata)
            )

    def delete(request: Request) -> Response:
        with _not_found_in_words():
            store.delete_completion(_id(request))
        return JSONResponse(
            {"object": "chat.completion.deleted", "id": _id(request), "deleted": True}
        )

    def messages(request: Request) -> Response:
        with _not_found_in_words():
            rows = store.completion_messages(_id(request))
        if _is_descending(request):
            rows.reverse()
        after = request.query_params.get("after")
        if after is not None:
            places = [place for place, row in enumerate(rows) if row["id"] == after]
            if not places:
                raise ApiError(
                    f"Invalid value for 'after': there is no {after[:200]}.",
                    param="after",
                    code="invalid_value",
                )
            rows = rows[places[0] + 1 :]
        limit = whole_number(request, "limit", default=20, low=0, high=100)
        return page(rows[:limit], len(rows) > limit)

    one = "/v1/chat/completions/{completion_id}"
    return [
        Route("/v1/chat/completions", index, methods=["GET"]),
        Route(one, retrieve, methods=["GET"]),
        Route(one, update, methods=["POST"]),
        Route(one, delete, methods=["DELETE"]),
        Route(f"{one}/messages", messages, methods=["GET"]),
    ]


@contextlib.contextmanager
def _not_found_in_words() -> Iterator[None]:
    try:
        yield
    except NotFound as error:
        raise ApiError(str(error)[:300], status=404, param="completion_id") from error


def _id(request: Request) -> str:
    return str(request.path_params["completion_id"])


def _is_descending(request: Request) -> bool:
    return newest_first(request, ascending="asc", descending="desc", default="asc")
