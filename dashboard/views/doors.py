"""The door of every page: who may come in, and what is said when something is refused."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from textwrap import shorten
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url

from dashboard.services import access, outbox
from dashboard.services.access import Permission
from dashboard.services.budgets import TooFast
from dashboard.services.speech import CannotHear, CannotSpeak
from trainerbot.errors import (
    Conflict,
    DatasetFrozen,
    InvalidInput,
    NotAllowed,
    NotFound,
    ProviderRefused,
    ProviderUnavailable,
    StorageFull,
    TrainerBotError,
)
from trainerbot.speech import NothingHeard

LONGEST_SENTENCE = 500

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

# Raised while the endpoint is asked for models; its page has the rest to show.
ENDPOINT = (ProviderUnavailable, ProviderRefused)

STATUS: dict[type[TrainerBotError], int] = {
    InvalidInput: 400,
    NotAllowed: 403,
    TooFast: 429,
    NotFound: 404,
    Conflict: 409,
    DatasetFrozen: 409,
    ProviderUnavailable: 503,
    StorageFull: 507,
    # A sound without words is nobody's failure, and who hears and speaks may be back soon.
    NothingHeard: 422,
    CannotHear: 503,
    CannotSpeak: 503,
}


@dataclass(frozen=True, slots=True)
class Door:
    """What a page knows of its reader; templates read it as `request.door`.

    outbox_id: the newest event when the request came in.
    may: names of the reader's permissions in lower case, such as `may.train`.
    """

    outbox_id: int
    may: dict[str, bool]


def requires(permission: Permission) -> Callable[[View[P]], View[P]]:
    """Let only those in who may do `permission`; tell everybody else in words.

    Whatever of our own errors the view raises becomes a page, a JSON answer
    or, for htmx, a short message over the page that asked.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            allowed = access.MATRIX[access.role_of(request.user)]
            # The id is read before the view reads its rows: what changes in
            # between is replayed to the page by its socket.
            request.door = Door(  # type: ignore[attr-defined]  # ours, for templates
                outbox_id=outbox.latest_id(),
                may={each.name.lower(): True for each in allowed},
            )
            try:
                if permission not in allowed:
                    access.require(request.user, permission)
                _check_address(request)
                return view(request, *args, **kwargs)
            except TrainerBotError as error:
                return refusal(request, error)

        guarded.permission = permission  # type: ignore[attr-defined]  # read by the tests
        return guarded

    return decorate


def _check_address(request: HttpRequest) -> None:
    """Raise InvalidInput for what PostgreSQL can neither store nor look for."""
    if "%00" in request.META.get("QUERY_STRING", ""):
        raise InvalidInput("The address holds characters that are no text. Remove them.")


def reader(request: HttpRequest) -> User:
    """Who asks; the door has let nobody else in."""
    return cast(User, request.user)


def refusal(request: HttpRequest, error: TrainerBotError) -> HttpResponse:
    """The answer that says `error` to a person, in the form that the asker can show."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 502)
    if wants_json(request):
        return json_problem(str(error), status)
    if is_htmx(request) and request.method == "GET" and isinstance(error, ENDPOINT):
        # In place of the fragment that cannot be shown, with a way to try again.
        return render(request, "dashboard/_unavailable.html", {"sentence": str(error)}, status=503)
    if is_htmx(request):
        response = HttpResponse(status=status)
        # A header has its limits, and some errors quote what they were given.
        sentence = shorten(str(error), LONGEST_SENTENCE)
        response["HX-Trigger"] = json.dumps({"problem": {"sentence": sentence}})
        return response
    context: dict[str, Any] = {"sentence": str(error), "status": status}
    return render(request, "dashboard/problem.html", context, status=status)


def json_problem(sentence: str, status: int) -> HttpResponse:
    """How a script is told what a person would read."""
    return JsonResponse({"problem": sentence}, status=status)


def wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def lead_to(address: str) -> HttpResponse:
    """Let htmx open another page in the place of this one."""
    return HttpResponse(status=204, headers={"HX-Redirect": address})


def show_anew() -> HttpResponse:
    """Let htmx load the page again: it keeps its address, with filters and all."""
    return HttpResponse(status=204, headers={"HX-Refresh": "true"})


def whole_number(text: str, *, max_digits: int = 9) -> int | None:
    """The number that an address or a form gives, if every column can be asked for it."""
    is_one = text.isascii() and text.isdecimal() and len(text) <= max_digits
    return int(text) if is_one else None


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if wants_json(request):
        return json_problem("You are signed out. Sign in again in another tab.", 401)
    if is_htmx(request):
        # The fragment's own address would be a poor page to come back to.
        back = request.headers.get("HX-Current-URL", "")
        response = HttpResponse(status=401)
        path = "/" + back.split("://", 1)[-1].partition("/")[2]
        response["HX-Redirect"] = f"{resolve_url('sign-in')}?{urlencode({'next': path})}"
        return response
    return redirect_to_login(request.get_full_path(), resolve_url("sign-in"))
