"""One server: how the bot answers there, at what pace and cost, and who used how much."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.servers import LimitsForm, PlaceForm
from dashboard.models import (
    DiscordChannel,
    DiscordGuild,
    GuildSettings,
    ModelPrice,
    PlaceSettings,
    Usage,
)
from dashboard.services import budgets, paging, places, releases, speech
from dashboard.services.access import Permission
from dashboard.views.doors import requires
from dashboard.views.servers.bars import bars_of_guild, bars_of_person
from dashboard.views.servers.rows import channels_of, roles_of
from trainerbot.errors import InvalidInput, NotFound

PEOPLE = 20


@require_GET
@requires(Permission.SETTINGS)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, get(pk))


@require_POST
@requires(Permission.SETTINGS)
def answers(request: HttpRequest, pk: int) -> HttpResponse:
    """Save how the bot answers on the whole server."""
    guild = get(pk)
    form = place_form(guild, None, data=request.POST)
    if save_place(request, form, guild):
        messages.success(request, f"Saved. It is in force on {guild} from the next message on.")
        return redirect("server-detail", pk=pk)
    return _page(request, guild, place=form)


@require_POST
@requires(Permission.SETTINGS)
def limits(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the waits, the budgets and the review channel of a server."""
    guild = get(pk)
    form = limits_form(guild, data=request.POST)
    if save_limits(request, form, guild):
        messages.success(request, f"Saved. It counts on {guild} from the next message on.")
        return redirect("server-detail", pk=pk)
    return _page(request, guild, limits=form)


@require_http_methods(["GET", "POST"])
@requires(Permission.SETTINGS)
def channel(request: HttpRequest, pk: int, channel: int) -> HttpResponse:
    """The settings that one channel has of its own."""
    guild = get(pk)
    row = DiscordChannel.objects.filter(pk=channel, guild=guild).first()
    if row is None:
        raise NotFound("There is no such channel on this server.")
    form = place_form(guild, row, data=request.POST or None)
    if request.method == "POST" and save_place(request, form, guild):
        messages.success(request, f"Saved. It is in force in {row} from the next message on.")
        return redirect("server-channel", pk=pk, channel=channel)
    context = {"guild": guild, "channel": row, "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "dashboard/servers/channel.html", context, status=status)


@require_GET
@requires(Permission.SETTINGS)
def usage(request: HttpRequest, pk: int) -> HttpResponse:
    """The bars of this month, anew."""
    return render(request, "dashboard/servers/_usage.html", _usage(get(pk)))


@require_GET
@requires(Permission.SETTINGS)
def people(request: HttpRequest, pk: int) -> HttpResponse:
    """Who used how much in this month, anew."""
    return render(request, "dashboard/servers/_people.html", _people(request, get(pk)))


def get(pk: int) -> DiscordGuild:
    guild = DiscordGuild.objects.filter(pk=pk).first()
    if guild is None:
        raise NotFound("There is no such server.")
    return guild


def actor(request: HttpRequest) -> User:
    return cast(User, request.user)


def place_form(
    guild: DiscordGuild, channel: DiscordChannel | None, *, data: Any = None
) -> PlaceForm:
    """The form of a server, or of one channel of it, with what is in force where it is empty."""
    row = PlaceSettings.objects.filter(guild=guild, channel=channel).first()
    rules = places.rules()
    return PlaceForm(
        data,
        instance=row or PlaceSettings(guild=guild, channel=channel),
        otherwise=rules.place(guild.discord_guild_id if channel else None),
    )


def limits_form(guild: DiscordGuild, *, data: Any = None) -> LimitsForm:
    row = GuildSettings.objects.filter(guild=guild).first()
    return LimitsForm(data, instance=row or GuildSettings(guild=guild), guild=guild)


def saved(form: forms.BaseForm, act: Callable[[], object]) -> bool:
    """Save what a form holds; if it is not valid or refused, the form says so."""
    if not form.is_valid():
        return False
    try:
        act()
    except InvalidInput as error:
        form.add_error(None, str(error))
        return False
    return True


def save_place(request: HttpRequest, form: PlaceForm, guild: DiscordGuild) -> bool:
    """Save how the bot answers somewhere; what is to be said of its model is said on the next page."""
    if not form.is_valid():
        return False
    was = PlaceSettings.objects.filter(pk=form.instance.pk).values_list("model", flat=True).first()
    return _with_model(
        request,
        form,
        form.cleaned_data["model"],
        lambda: places.save_place(form.save(commit=False), actor=actor(request)),
        was=was or "",
        guild=guild,
        otherwise=releases.answers_without(form.instance),
    )


def save_limits(request: HttpRequest, form: LimitsForm, guild: DiscordGuild) -> bool:
    """Save the limits; of the cheaper model is said what is said of any that answers."""
    if not form.is_valid():
        return False
    kept = GuildSettings.objects.filter(guild=guild)
    was = kept.values_list("saving_model", flat=True).first()
    return _with_model(
        request,
        form,
        form.cleaned_data["saving_model"],
        lambda: places.save_guild(form.save(commit=False), actor=actor(request)),
        was=was or "",
        guild=guild,
    )


def _with_model(
    request: HttpRequest,
    form: PlaceForm | LimitsForm,
    model: str,
    act: Callable[[], object],
    *,
    was: str,
    guild: DiscordGuild,
    otherwise: str = "",
) -> bool:
    """Save a valid form that names a model; where its tests object, the form asks for the reason."""
    try:
        said = releases.permit(
            model,
            was=was,
            guild=guild,
            otherwise=otherwise,
            why=form.cleaned_data["why"],
            actor=actor(request),
            save=act,
        )
    except InvalidInput as error:
        if isinstance(error, releases.ReasonNeeded):
            form.ask_why()
        form.add_error(None, str(error))
        return False
    if said:
        messages.warning(request, said)
    return True


def _page(
    request: HttpRequest,
    guild: DiscordGuild,
    *,
    place: PlaceForm | None = None,
    limits: LimitsForm | None = None,
) -> HttpResponse:
    context = {
        "place_form": place or place_form(guild, None),
        "limits_form": limits or limits_form(guild),
        "roles": roles_of(guild),
        "channels": channels_of(guild),
        "voice": speech.settings_of(guild.discord_guild_id),
    }
    context |= _usage(guild) | _people(request, guild)
    return render(
        request, "dashboard/servers/detail.html", context, status=422 if place or limits else 200
    )


def _usage(guild: DiscordGuild) -> dict[str, Any]:
    month = budgets.this_month()
    settings = GuildSettings.objects.filter(guild=guild).first()
    used = Usage.objects.filter(key=budgets.key(month, guild.pk)).first()
    counts_money = settings is not None and (
        settings.user_cost_usd is not None or settings.guild_cost_usd is not None
    )
    return {
        "guild": guild,
        "month": month,
        "opens": budgets.next_month(month),
        "used": used,
        "bars": bars_of_guild(settings, used),
        "lacks_prices": counts_money and not ModelPrice.objects.exists(),
    }


def _people(request: HttpRequest, guild: DiscordGuild) -> dict[str, Any]:
    settings = GuildSettings.objects.filter(guild=guild).first()
    found = paging.page(
        Usage.objects.filter(
            guild=guild, month=budgets.this_month(), discord_user__isnull=False
        ).select_related("discord_user"),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        size=PEOPLE,
    )
    return {
        "guild": guild,
        "page": found,
        "people": [(row, bars_of_person(settings, row)) for row in found.rows],
    }
