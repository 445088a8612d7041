"""The websockets of the dashboard, one list a resource."""

from django.urls import URLPattern, path

from dashboard.consumers.live import LiveConsumer
from dashboard.consumers.playground import PlaygroundConsumer

LIVE = [
    path("ws/live/", LiveConsumer.as_asgi()),  # type: ignore[arg-type]  # an ASGI app, which the stubs do not know
]

PLAYGROUND = [
    path("ws/playground/", PlaygroundConsumer.as_asgi()),  # type: ignore[arg-type]  # an ASGI app, too
]

websocket_urlpatterns: list[URLPattern] = [*LIVE, *PLAYGROUND]
