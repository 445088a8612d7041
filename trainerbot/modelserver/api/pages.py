"""Lists in pages: what a client may ask of them, and how they are told."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trainerbot.modelserver.api.errors import ApiError


def page(data: list[dict[str, Any]], has_more: bool) -> Response:
    """Return one page of a list."""
    return JSONResponse(
        {
            "object": "list",
            "data": data,
            "has_more": has_more,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
        }
    )


def newest_first(
    request: Request, *, ascending: str, descending: str, default: str | None = None
) -> bool:
    """Return whether the query's `order`, by default descending, asks for the newest first."""
    order = request.query_params.get("order", default or descending)
    if order not in (ascending, descending):
        raise ApiError(
            f"Invalid value: '{order[:50]}'. Supported values are: '{ascending}' and "
            f"'{descending}'.",
            param="order",
            code="invalid_value",
        )
    return order == descending
