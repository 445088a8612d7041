"""Who may ask: a bearer key, or only this machine's own programs when there is none."""

import hmac
import json
from collections.abc import Sequence
from typing import Any

from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.database import new_id

# Both types are ASGI's own: a message is a dict of whatever its type needs.
Scope = dict[str, Any]
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach `host`."""
    return host == "::1" or host in _LOOPBACK


class Access:
    """ASGI middleware: checks every request but /healthz, and numbers every answer.

    Without keys, browsers are kept out: a page of another site could otherwise
    reach a server on loopback (by a plain cross-site request or a rebound name).
    """

    def __init__(self, app: Any, *, keys: Sequence[str]) -> None:
        self._app = app
        self._keys = [key.encode() for key in keys]

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass the request on, or answer it with a refusal."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_id("req_").encode()

        async def send_numbered(message: Scope) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            await send(message)

        refusal = None if scope["path"] == "/healthz" else self._refusal(scope["headers"])
        if refusal is None:
            await self._app(scope, receive, send_numbered)
            return
        headers = [(b"content-type", b"application/json")]
        if refusal.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        await send_numbered(
            {"type": "http.response.start", "status": refusal.status, "headers": headers}
        )
        await send({"type": "http.response.body", "body": json.dumps(refusal.body).encode()})

    def _refusal(self, headers: list[tuple[bytes, bytes]]) -> ApiError | None:
        given = dict(headers)
        if not self._keys:
            return _browser_refusal(given)
        scheme, _, key = given.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not key.strip():
            return ApiError(
                "You didn't provide an API key. You need to provide your API key in an "
                "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
                status=401,
            )
        # Every key is compared, each in constant time.
        matches = [hmac.compare_digest(key.strip(), known) for known in self._keys]
        if not any(matches):
            return ApiError(
                "Incorrect API key provided. It is the one that this model server was started "
                "with.",
                status=401,
                code="invalid_api_key",
            )
        return None


def _browser_refusal(headers: dict[bytes, bytes]) -> ApiError | None:
    host = headers.get(b"host", b"").decode("latin-1")
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    origin = headers.get(b"origin", b"").decode("latin-1")
    same_site = not origin or origin == f"http://{host}"
    if name in _LOOPBACK and same_site:
        return None
    return ApiError(
        "This model server has no API key and answers only programs on its own machine. "
        "Start it with --api-key-file to reach it otherwise.",
        status=403,
        code="forbidden_origin",
    )
