"""What is said when something breaks that nobody foresaw."""

import sys

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import requires_csrf_token

from dashboard.services import storage
from dashboard.services.storage import DatabaseUnavailable
from dashboard.views.doors import json_problem, wants_json
from trainerbot.errors import StorageFull, TrainerBotError

STATUS: dict[type[TrainerBotError], int] = {StorageFull: 507, DatabaseUnavailable: 503}
BROKEN = "Something broke on our side and was logged. Try again."


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django has logged the failure with its stack; what a person can mend is told from the rest.

    An upload that fills the disk fails while the request is still being
    read, before any view could catch it.
    """
    told = storage.in_words(sys.exc_info()[1])
    status = STATUS.get(type(told), 500) if told else 500
    if wants_json(request):
        return json_problem(str(told) if status != 500 else BROKEN, status)
    context = {"sentence": str(told)} if status != 500 else {}
    response: HttpResponse = render(request, "500.html", context, status=status)
    return response
