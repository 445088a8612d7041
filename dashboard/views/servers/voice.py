"""How the bot listens and speaks on one server; with a try at both."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from dashboard.forms.voice import VoiceForm
from dashboard.services import dictation, providers, speech, voices
from dashboard.services.access import Permission
from dashboard.views.doors import requires
from dashboard.views.servers.detail import actor, get, saved
from dashboard.views.speech import MOST_CHARACTERS


@require_http_methods(["GET", "POST"])
@requires(Permission.SETTINGS)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    guild = get(pk)
    row = speech.settings_of(guild.discord_guild_id)
    form = VoiceForm(request.POST or None, instance=row)
    if request.method == "POST" and saved(
        form, lambda: speech.save_settings(form.save(commit=False), actor=actor(request))
    ):
        messages.success(request, f"Saved. It is in force on {guild} from the next word on.")
        return redirect("server-voice", pk=pk)
    context = {
        "guild": guild,
        "form": form,
        "language": voices.language_of(guild),
        "most_characters": MOST_CHARACTERS,
        "most_s": int(dictation.MOST_S),
        "most_bytes": dictation.MOST_BYTES,
    }
    status = 422 if form.is_bound else 200
    return render(request, "dashboard/servers/voice.html", context, status=status)


@require_GET
@requires(Permission.SETTINGS)
def standings(request: HttpRequest, pk: int) -> HttpResponse:
    """Who can be used now and why not, asked for apart: the speech server may be slow."""
    guild = get(pk)
    found = providers.ask_at_once(speech.standings)
    language = voices.language_of(guild)
    row = speech.settings_of(guild.discord_guild_id)
    first = next(iter(speech.speaking_chain(row)), "")
    hear, speak = voices.who_hear(row.recognizers), voices.who_speak(row.synthesizers)
    context = {
        "shared": voices.shared_problem(found),
        "hearing": voices.told(
            found, hears=True, language=language, names={each.name for each in hear}
        ),
        "speaking": voices.told(
            found, hears=False, language=language, names={each.name for each in speak}
        ),
        "voices": next((each.voices for each in found if each.name == first and each.speaks), ()),
    }
    return render(request, "dashboard/servers/_standings.html", context)
