"""The Playground: talk with any model, see why it answered so, correct it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from dashboard.models import Source
from dashboard.services import assistant, chat, conversations, dictation, providers, voices
from dashboard.services.access import Permission
from dashboard.views.doors import reader, requires
from dashboard.views.transcripts import transcript
from trainerbot.errors import ProviderRefused, ProviderUnavailable

# What no model knows of itself, so that a newcomer meets a wrong answer to correct.
SUGGESTIONS = (
    "When does our library open?",
    "Who looks after the coffee machine?",
    "What is the name of our team's cat?",
)
STEPS = ("Ask", "Correct the answer", "Ask again")


@require_GET
@requires(Permission.CHAT)
def page(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new conversation, or an earlier one of the reader's own to go on with."""
    context: dict[str, object] = {
        "steps": STEPS,
        "suggestions": SUGGESTIONS,
        "chosen": request.GET.get("model", ""),
        "default": assistant.current().model,
        "known": (),
        "is_loading": True,
        "language": voices.language_everywhere(),
        "most_s": int(dictation.MOST_S),
        "most_bytes": dictation.MOST_BYTES,
    }
    if pk is not None:
        conversation = conversations.get(pk, user=reader(request))
        if conversation.user_id != reader(request).pk or conversation.source != Source.PLAYGROUND:
            return redirect("conversation-detail", pk=pk)
        context |= {"conversation": conversation, "transcript": transcript(conversation, request)}
    return render(request, "dashboard/playground/page.html", context)


@require_GET
@requires(Permission.CHAT)
def models(request: HttpRequest) -> HttpResponse:
    """The choice of models, asked for apart from the page, since the endpoint may be slow."""
    context: dict[str, object] = {
        "chosen": request.GET.get("model", ""),
        "default": assistant.current().model,
        "known": (),
    }
    try:
        found = providers.ask_at_once(chat.models)
        context["default"] = context["default"] or providers.ask_at_once(chat.default_model)
        context["tuned"] = [model.id for model in found if model.id.startswith("ft:")]
        context["untuned"] = [model.id for model in found if not model.id.startswith("ft:")]
        context["known"] = [model.id for model in found]
    except (ProviderUnavailable, ProviderRefused) as error:
        # The reader can still type; asking again may find the endpoint awake.
        context["problem"] = str(error)
    return render(request, "dashboard/playground/_models.html", context)
