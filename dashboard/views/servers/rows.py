"""The roles and the channels of a server: tables whose rows are changed in their place."""

from typing import cast

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from dashboard.models import Access, DiscordChannel, DiscordGuild, DiscordRole
from dashboard.services import places
from dashboard.services.access import Permission
from dashboard.views.doors import requires
from trainerbot.errors import NotFound


@require_GET
@requires(Permission.SETTINGS)
def roles(request: HttpRequest, pk: int) -> HttpResponse:
    """The table of roles, anew."""
    guild = _guild(pk)
    context = {"guild": guild, "roles": roles_of(guild)}
    return render(request, "dashboard/servers/_roles.html", context)


@require_GET
@requires(Permission.SETTINGS)
def channels(request: HttpRequest, pk: int) -> HttpResponse:
    """The table of channels, anew."""
    guild = _guild(pk)
    context = {"guild": guild, "channels": channels_of(guild)}
    return render(request, "dashboard/servers/_channels.html", context)


@require_POST
@requires(Permission.SETTINGS)
def role(request: HttpRequest, pk: int, role: int) -> HttpResponse:
    """Save what the holders of a role may do; answered with its row."""
    row = DiscordRole.objects.filter(pk=role, guild=pk).select_related("guild").first()
    if row is None:
        raise NotFound("There is no such role on this server.")
    places.save_role(
        row,
        grants=request.POST.get("grants", ""),
        access=request.POST.get("access", ""),
        actor=cast(User, request.user),
    )
    context = {"guild": row.guild, "role": row, "is_saved": True}
    return render(request, "dashboard/servers/_role.html", context)


@require_POST
@requires(Permission.SETTINGS)
def access(request: HttpRequest, pk: int, channel: int) -> HttpResponse:
    """Save whether the bot answers in a channel; answered with its row."""
    row = _channels().filter(pk=channel, guild=pk).first()
    if row is None or row.guild is None:
        raise NotFound("There is no such channel on this server.")
    places.save_access(row, access=request.POST.get("access", ""), actor=cast(User, request.user))
    context = {"guild": row.guild, "channel": row, "is_saved": True}
    return render(request, "dashboard/servers/_channel.html", context)


# Discord has at most 250 roles and 500 channels on a server, so the tables have no pages.
def roles_of(guild: DiscordGuild) -> list[DiscordRole]:
    """The roles as Discord orders them; deleted ones only while they still count."""
    rows = DiscordRole.objects.filter(guild=guild).exclude(
        gone_at__isnull=False, grants="", access=""
    )
    return sorted(rows, key=lambda row: (row.gone_at is not None, -row.position, row.name))


def channels_of(guild: DiscordGuild) -> list[DiscordChannel]:
    """The channels as Discord orders them, and threads with a setting; deleted ones at the end."""
    named = ~Q(access=Access.INHERIT) | Q(place__isnull=False)
    rows = _channels().filter(Q(guild=guild), named | ~Q(kind="") & Q(gone_at=None))
    return sorted(rows, key=lambda row: (row.gone_at is not None, row.kind == "", row.position))


def _channels() -> QuerySet[DiscordChannel]:
    return DiscordChannel.objects.select_related("guild", "place")


def _guild(pk: int) -> DiscordGuild:
    guild = DiscordGuild.objects.filter(pk=pk).first()
    if guild is None:
        raise NotFound("There is no such server.")
    return guild
