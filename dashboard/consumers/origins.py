"""Whose pages may open a websocket: ours, by the same rule that Django has for forms."""

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.utils.http import is_same_domain


class SameOrigin:
    """Refuses a handshake from a page of another host or port.

    A browser sends its cookies to every port of a host and asks no
    permission for a websocket, so another program's page on this machine
    could else chat and read as whoever is signed in here.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        ours = _is_ours(headers.get(b"origin", ""), host=headers.get(b"host", ""))
        app = self._app if ours else WebsocketDenier.as_asgi()
        await app(scope, receive, send)


def _is_ours(origin: str, *, host: str) -> bool:
    try:
        page = urlsplit(origin)
    except ValueError:
        return False
    # Not the scheme: behind a proxy that ends TLS ours is http, the page's https.
    if page.netloc and page.netloc == host:
        return True
    trusted = [urlsplit(each.replace("*", "", 1)) for each in settings.CSRF_TRUSTED_ORIGINS]
    return any(
        page.scheme == each.scheme and is_same_domain(page.netloc, each.netloc) for each in trusted
    )
