"""One's own account: the way to its password, and who one is on Discord."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from dashboard.services import links
from dashboard.services.access import Permission
from dashboard.views.doors import reader, requires


@never_cache
@require_GET
@requires(Permission.CHAT)
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/people/account.html", _context(request))


@never_cache
@require_POST
@requires(Permission.CHAT)
def code(request: HttpRequest) -> HttpResponse:
    """Make a code and show it, this once."""
    made = links.make_code(reader(request))
    return render(request, "dashboard/people/_discord.html", _context(request) | {"code": made})


@never_cache
@require_GET
@requires(Permission.CHAT)
def discord(request: HttpRequest) -> HttpResponse:
    """Nothing new while the code that the page shows may still be used, else how things stand."""
    context = _context(request)
    if context["standing"].code_until is not None:
        return HttpResponse(status=204)
    return render(request, "dashboard/people/_discord.html", context)


@require_POST
@requires(Permission.CHAT)
def unlink(request: HttpRequest) -> HttpResponse:
    links.unlink(reader(request))
    messages.success(request, "Unlinked. Votes that were given until now still count once.")
    return redirect("account")


def _context(request: HttpRequest) -> dict[str, links.Standing]:
    return {"standing": links.standing(reader(request))}
