"""Which servers there are, and what counts in direct messages."""

from dataclasses import dataclass
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from dashboard.forms.servers import DirectForm
from dashboard.models import DiscordChannel, DiscordGuild, GuildSettings, Usage
from dashboard.services import assistant, budgets, paging
from dashboard.services.access import Permission
from dashboard.views.doors import requires
from dashboard.views.servers.bars import Bar, bars_of_guild

PAGE = 25


@dataclass(frozen=True, slots=True)
class Row:
    """One server of the list. bar: the budget that is nearest to its end, if one is set."""

    guild: DiscordGuild
    n_channels: int
    usage: Usage | None
    bar: Bar | None


@require_GET
@requires(Permission.SETTINGS)
def list_(request: HttpRequest) -> HttpResponse:
    context = _rows(request) | {"direct": assistant.current()}
    return render(request, "dashboard/servers/list.html", context)


@require_GET
@requires(Permission.SETTINGS)
def rows(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/servers/_rows.html", _rows(request))


@require_http_methods(["GET", "POST"])
@requires(Permission.SETTINGS)
def direct(request: HttpRequest) -> HttpResponse:
    """What counts in direct messages."""
    form = DirectForm(request.POST or None, instance=assistant.current())
    if request.method == "POST" and form.is_valid():
        assistant.save(changed=form.save(commit=False), actor=cast(User, request.user))
        messages.success(request, "Saved. It is in force from the next message on.")
        return redirect("server-direct")
    status = 422 if form.is_bound else 200
    return render(request, "dashboard/servers/direct.html", {"form": form}, status=status)


def _rows(request: HttpRequest) -> dict[str, object]:
    words = request.GET.get("q", "").strip()[:100]
    guilds = DiscordGuild.objects.all()
    page = paging.page(
        guilds.filter(name__icontains=words) if words else guilds,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        size=PAGE,
    )
    channels = DiscordChannel.objects.filter(guild__in=page.rows, gone_at=None).exclude(kind="")
    n_channels = dict(channels.order_by().values_list("guild").annotate(n=Count("pk")))
    month = budgets.this_month()
    keys = {budgets.key(month, guild.pk): guild.pk for guild in page.rows}
    used = {keys[row.key]: row for row in Usage.objects.filter(key__in=keys)}
    settings = {row.guild_id: row for row in GuildSettings.objects.filter(guild__in=page.rows)}
    return {
        "page": page,
        "words": words,
        "rows": [
            Row(
                guild,
                n_channels.get(guild.pk, 0),
                used.get(guild.pk),
                max(
                    bars_of_guild(settings.get(guild.pk), used.get(guild.pk)),
                    key=lambda bar: bar.share,
                    default=None,
                ),
            )
            for guild in page.rows
        ],
        "month": month,
    }
