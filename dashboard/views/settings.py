"""What an admin may change while everything runs."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.settings import AssistantForm, MeaningForm
from dashboard.services import assistant, chat, meanings, providers, releases, routing
from dashboard.services.access import Permission
from dashboard.views.doors import requires
from trainerbot.errors import InvalidInput


@require_http_methods(["GET", "POST"])
@requires(Permission.SETTINGS)
def page(request: HttpRequest) -> HttpResponse:
    form = AssistantForm(request.POST or None, instance=assistant.current())
    if request.method == "POST" and form.is_valid() and _saved(request, form):
        messages.success(request, "Saved. It is in force from the next message on, everywhere.")
        return redirect("settings")
    return _page(request, form, MeaningForm(initial=_chosen()))


@require_POST
@requires(Permission.SETTINGS)
def meaning(request: HttpRequest) -> HttpResponse:
    """By what questions are compared with corrections."""
    form = MeaningForm(request.POST)
    if form.is_valid():
        actor = cast(User, request.user)
        form.attempt(lambda: meanings.choose(**form.cleaned_data, actor=actor))
    if form.is_valid():
        messages.success(request, "Saved. What is known of its corrections is told below.")
        return redirect("settings")
    return _page(request, AssistantForm(instance=assistant.current()), form)


@require_GET
@requires(Permission.SETTINGS)
def meaning_state(request: HttpRequest) -> HttpResponse:
    """How far the model that is chosen has come, and which models answer now."""
    context = {"standing": meanings.standing(), "offers": meanings.offers()}
    return render(request, "dashboard/settings/_meaning.html", context)


def _chosen() -> dict[str, str]:
    row = meanings.current()
    return {"by": row.by, "endpoint": row.endpoint, "model": row.model}


def _page(request: HttpRequest, form: AssistantForm, meaning: MeaningForm) -> HttpResponse:
    context = {
        "form": form,
        "meaning": meaning,
        "endpoint": providers.endpoint(),
        "is_embedded": providers.uses_embedded_server(),
    }
    status = 422 if form.is_bound or meaning.is_bound else 200
    return render(request, "dashboard/settings/page.html", context, status=status)


def _saved(request: HttpRequest, form: AssistantForm) -> bool:
    actor = cast(User, request.user)
    try:
        said = releases.permit(
            form.cleaned_data["model"],
            was=assistant.current().model,
            guild=None,
            why=form.cleaned_data["why"],
            actor=actor,
            save=lambda: assistant.save(changed=form.save(commit=False), actor=actor),
        )
    except InvalidInput as error:
        if isinstance(error, releases.ReasonNeeded):
            form.ask_why()
        form.add_error(None, str(error))
        return False
    if said:
        messages.warning(request, said)
    return True


@require_GET
@requires(Permission.SETTINGS)
def model_options(request: HttpRequest) -> HttpResponse:
    """The suggestions of the model field; the field also takes what is not among them."""
    models = providers.ask_at_once(chat.models)
    context = {"models": models, "aliases": routing.names()}
    return render(request, "dashboard/settings/_models.html", context)
