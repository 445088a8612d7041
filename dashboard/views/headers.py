"""What a browser is told about every page."""

from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

# Of all devices our pages use the microphone, and only when somebody presses a button for it.
POLICY: Final = "microphone=(self), camera=(), geolocation=(), display-capture=()"


class PermissionsPolicy(MiddlewareMixin):
    """Tells the browser which of its devices a page of ours may ask for."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        response.headers.setdefault("Permissions-Policy", POLICY)
        return response
