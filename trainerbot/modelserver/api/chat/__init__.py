"""POST /v1/chat/completions, streaming and not."""

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainerbot.modelserver.api.chat import conversation, options
from trainerbot.modelserver.api.chat.answering import answers
from trainerbot.modelserver.api.chat.bodies import ChatBody, MessageBody
from trainerbot.modelserver.api.chat.metering import metered
from trainerbot.modelserver.api.chat.writing import Writer
from trainerbot.modelserver.api.requests import read_body
from trainerbot.modelserver.api.streams import Stream, unless_gone
from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.store import Store

# Kept with a stored completion, as OpenAI keeps them.
_KEPT = (
    "frequency_penalty", "presence_penalty", "response_format", "seed", "temperature",
    "tool_choice", "tools", "top_p",
)  # fmt: skip


def routes(catalog: Catalog, store: Store) -> list[Route]:
    """Return the route of POST /v1/chat/completions."""

    async def create(request: Request) -> Response:
        body = await read_body(request, ChatBody)
        messages = conversation.read(body.messages)
        told = metered(
            request, answers(catalog, body.model, messages, options.read(body), n=body.n or 1)
        )

        async def keep(completion: dict[str, Any]) -> None:
            kept = {name: msgspec.to_builtins(getattr(body, name)) for name in _KEPT}
            await asyncio.to_thread(
                store.add_completion,
                {**completion, **kept},
                messages=[_stored(message) for message in body.messages],
                metadata=body.metadata,
            )

        writer = Writer(body, keep if body.store else None)
        if not body.stream:
            return JSONResponse(await unless_gone(request.receive, writer.whole(told)))
        try:
            # Up to here a failure still has an HTTP status.
            first = await unless_gone(request.receive, anext(told))
        except BaseException:
            await told.aclose()
            raise
        return Stream(writer.chunks(first, told), media_type="text/event-stream")

    return [Route("/v1/chat/completions", create, methods=["POST"])]


def _stored(message: MessageBody) -> dict[str, Any]:
    """Return the message as GET .../messages tells it, without its id."""
    given = msgspec.to_builtins(message)
    content = given.pop("content")
    parts = content if isinstance(content, list) else None
    if parts is not None:
        content = "\n".join(part.get("text") or part.get("refusal") or "" for part in parts)
        parts = [{"type": "text", "text": part["text"]} for part in parts if part.get("text")]
    return {
        **{name: value for name, value in given.items() if value is not None},
        "content": content,
        "refusal": given.get("refusal"),
        "name": given.get("name"),
        "content_parts": parts,
    }
