"""The web process: pages over HTTP, live updates over websockets, and the outbox between."""

import asyncio
import logging
import os
import warnings
from typing import Any

from django.core.asgi import get_asgi_application
from django.db import DatabaseError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trainerbot.settings")
# WhiteNoise hands small static files over in one go; that Django reads them in
# a thread is right, and nothing that the reader of the log could change.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")
http = get_asgi_application()

# Only now are the apps loaded that these modules need.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.db import database_sync_to_async  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from dashboard.consumers.bodies import BodyGuard  # noqa: E402
from dashboard.consumers.origins import SameOrigin  # noqa: E402
from dashboard.consumers.tail import Tail  # noqa: E402
from dashboard.models import Source  # noqa: E402
from dashboard.routing import websocket_urlpatterns  # noqa: E402
from dashboard.services import leftovers, providers  # noqa: E402

log = logging.getLogger(__name__)


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """Say what became of questions left open, and follow the outbox while the server runs."""
    await receive()
    try:
        await database_sync_to_async(leftovers.close_unanswered)(Source.PLAYGROUND)
    except DatabaseError as error:
        # Pages that say what is wrong are better than none.
        log.warning("Questions that a stop left open could not be closed: %s", error)
    providers.keep_chat_model()
    tail = Tail(asyncio.get_running_loop())
    tail.start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await asyncio.to_thread(tail.stop)
    await providers.close_clients()
    await send({"type": "lifespan.shutdown.complete"})


websocket = SameOrigin(
    AllowedHostsOriginValidator(
        AuthMiddlewareStack(URLRouter(websocket_urlpatterns))  # type: ignore[arg-type]  # as Channels' own docs write it
    )
)
application = ProtocolTypeRouter(
    {"http": BodyGuard(http), "websocket": websocket, "lifespan": lifespan}
)
