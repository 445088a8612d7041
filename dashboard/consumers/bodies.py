"""How much anybody may send before Django looks at who they are.

Django writes a whole body to the disk before the first line of a view runs.
So this stands in front of it and answers from the headers alone: large bodies
come in only at the addresses of uploads, only from people who may upload,
and never over the limit.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError
from django.http import HttpRequest
from django.http.cookie import parse_cookie
from django.urls import reverse

from dashboard.services import access
from dashboard.services.access import Permission
from dashboard.services.dictation import MOST_BYTES

# What a form with a file has around it: names, boundaries, the other fields.
AROUND_BYTES = 64 * 1024

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SIGNED_OUT = "You are signed out. Sign in again in another tab."
NOT_YOURS = "You may not upload data. Ask an admin for the role of a trainer."
NO_SOUNDS = "You may not talk with the bot. Ask an admin for an account that may."
TOO_LARGE = "This is more than may be sent at once."


@dataclass(frozen=True, slots=True)
class Door:
    """An address that takes large bodies: from whom, how large, and what others are told."""

    permission: Permission
    most_bytes: int
    refusal: str


class BodyGuard:
    """Lets a request through to `app`, or answers it before its body is read."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        length = _length(headers)
        small = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + AROUND_BYTES
        if length is not None and length <= small:
            await self._app(scope, receive, send)
            return
        limit = small
        if (door := _door(scope["path"])) is not None:
            refused = await _refuse(headers.get(b"cookie", ""), door)
            if refused is not None:
                await _answer(send, *refused)
                return
            limit = door.most_bytes + AROUND_BYTES
        if length is not None and length > limit:
            await _answer(send, 413, TOO_LARGE)
            return
        await self._counted(scope, receive, send, limit)

    async def _counted(self, scope: Any, receive: Receive, send: Send, limit: int) -> None:
        """Let a body of unknown or large length through, up to `limit` bytes."""
        n_bytes = 0
        is_over = has_begun = False

        async def count() -> Message:
            nonlocal n_bytes, is_over
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > limit:
                is_over = True
                # Django forgets the request, as if its sender had gone.
                return {"type": "http.disconnect"}
            return message

        async def note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        await self._app(scope, count, note)
        if is_over and not has_begun:
            await _answer(send, 413, TOO_LARGE)


def _length(headers: dict[bytes, str]) -> int | None:
    """The bytes that a request announces: 0 for one without a body, None where nobody knows."""
    if b"transfer-encoding" in headers:
        return None
    value = headers.get(b"content-length", "0").strip()
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else None


def _door(path: str) -> Door | None:
    """What an address takes of files; None where it takes none."""
    if path.startswith((reverse("dataset-upload"), reverse("dataset-upload-create"))):
        return Door(Permission.DATA, settings.MAX_UPLOAD_BYTES, NOT_YOURS)
    if path == reverse("speech-hear"):
        return Door(Permission.CHAT, MOST_BYTES, NO_SOUNDS)
    return None


async def _refuse(cookies: str, door: Door) -> tuple[int, str] | None:
    """(status, why) for a sender who may not come in by this door, else None."""
    key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
    if not key:
        return 401, SIGNED_OUT
    try:
        return await database_sync_to_async(_judge)(key, door)
    except DatabaseError:
        # Django would fail in the same way, once the bytes lay on the disk.
        return 503, "The database is busy or away. Try again in a moment."


def _judge(key: str, door: Door) -> tuple[int, str] | None:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(request)
    if not user.is_authenticated:
        return 401, SIGNED_OUT
    if door.permission not in access.MATRIX[access.role_of(user)]:
        return 403, door.refusal
    return None


async def _answer(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"problem": sentence}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"tus-resumable", b"1.0.0"),
        # What is still on its way is not read, so nothing can follow it.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
