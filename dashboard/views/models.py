"""The models of the endpoint: which there are, where they came from, which one answers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from dashboard.models import FineTuneJob
from dashboard.services import assistant, chat
from dashboard.services.access import Permission
from dashboard.views.doors import requires
from trainerbot.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Row:
    """One model of the endpoint. job: the fine-tune that made it, if it was ours."""

    id: str
    owned_by: str
    made_at: datetime | None
    job: FineTuneJob | None
    answers: bool


@require_GET
@requires(Permission.VIEW)
def list_(request: HttpRequest) -> HttpResponse:
    """The page at once; its rows are asked for apart, since the endpoint may be slow."""
    return render(request, "dashboard/models/list.html")


@require_GET
@requires(Permission.VIEW)
def rows(request: HttpRequest) -> HttpResponse:
    """Ask the endpoint. Raises ProviderUnavailable, which becomes a way to try again."""
    found = async_to_sync(chat.models)()
    current = assistant.current().model
    if not current and found:
        current = async_to_sync(chat.default_model)()
    ours = {
        job.fine_tuned_model: job
        for job in FineTuneJob.objects.filter(
            fine_tuned_model__in=[model.id for model in found]
        ).select_related("version__dataset")
    }
    listed = [
        Row(
            id=model.id,
            owned_by=model.owned_by,
            made_at=datetime.fromtimestamp(model.created, UTC) if model.created else None,
            job=ours.get(model.id),
            answers=model.id == current,
        )
        for model in found
    ]
    return render(request, "dashboard/models/_rows.html", {"rows": listed})


@require_POST
@requires(Permission.SETTINGS)
def use(request: HttpRequest) -> HttpResponse:
    """Let a model answer on every face from the next message on."""
    model = request.POST.get("model", "").strip()
    if not model:
        raise InvalidInput("No model was named. Choose one from the list.")
    assistant.use_model(model, actor=cast(User, request.user))
    messages.success(request, f"{model} answers everywhere from the next message on.")
    return redirect("model-list")
