"""Who may ask: a bearer key, or only this machine's own programs when there is none."""

import hmac
import json
from collections.abc import Sequence
from typing import Any

from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.api.limits import Limits
from trainerbot.modelserver.database import new_id

# Both types are ASGI's own: a message is a dict of whatever its type needs.
Scope = dict[str, Any]
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
# The number, for the limits, of whoever asks a server without keys.
_NOBODY = -1


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach `host`."""
    return host == "::1" or host in _LOOPBACK


class Access:
    """ASGI middleware: checks and counts every request but /healthz, and numbers every answer.

    Without keys, browsers are kept out: a page of another site could otherwise
    reach a server on loopback (by a plain cross-site request or a rebound name).
    """

    def __init__(self, app: Any, *, keys: Sequence[str], limits: Limits) -> None:
        self._app = app
        self._keys = [key.encode() for key in keys]
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass the request on, or answer it with a refusal."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # For the answer to a crash too, which comes from outside of this.
        request_id = scope["request_id"] = new_id("req_")
        headers = [(b"x-request-id", request_id.encode())]

        async def send_numbered(message: Scope) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        if scope["path"] == "/healthz":
            await self._app(scope, receive, send_numbered)
            return
        try:
            key = self._admitted(scope["headers"])
            refusal = self._limits.admit(key, scope["path"])
            headers += self._limits.headers(key)
            self._limits.meter(scope, key)
        except ApiError as error:
            refusal = error
        if refusal is None:
            await self._app(scope, receive, send_numbered)
            return
        headers.append((b"content-type", b"application/json"))
        headers += [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
        await send_numbered(
            {"type": "http.response.start", "status": refusal.status, "headers": []}
        )
        await send({"type": "http.response.body", "body": json.dumps(refusal.body).encode()})

    def _admitted(self, headers: list[tuple[bytes, bytes]]) -> int:
        """Return the number of the key that asks. Raises ApiError when it may not."""
        given = dict(headers)
        if not self._keys:
            _refuse_browsers(given)
            return _NOBODY
        scheme, _, key = given.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not key.strip():
            raise _no_key(
                "You didn't provide an API key. You need to provide your API key in an "
                "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            )
        # Every key is compared, each in constant time.
        matches = [hmac.compare_digest(key.strip(), known) for known in self._keys]
        if not any(matches):
            raise _no_key(
                "Incorrect API key provided. It is the one that this model server was started "
                "with.",
                code="invalid_api_key",
            )
        return matches.index(True)


def _no_key(message: str, *, code: str | None = None) -> ApiError:
    refusal = ApiError(message, status=401, code=code)
    refusal.headers = {"www-authenticate": "Bearer"}
    return refusal


def _refuse_browsers(headers: dict[bytes, bytes]) -> None:
    host = headers.get(b"host", b"").decode("latin-1")
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    origin = headers.get(b"origin", b"").decode("latin-1")
    same_site = not origin or origin == f"http://{host}"
    if not (name in _LOOPBACK and same_site):
        raise ApiError(
            "This model server has no API key and answers only programs on its own machine. "
            "Start it with --api-key-file to reach it otherwise.",
            status=403,
            code="forbidden_origin",
        )
