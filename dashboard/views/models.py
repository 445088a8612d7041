"""The models of the endpoint: which there are, where they came from, which one answers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.servers import PriceForm, SpeechPriceForm
from dashboard.models import FineTuneJob, ModelPrice, SpeechPrice
from dashboard.services import (
    assistant,
    chat,
    paging,
    prices,
    providers,
    releases,
    retirements,
    speech,
    tuned_models,
    voices,
)
from dashboard.services.access import Permission
from dashboard.services.retirements import Last
from dashboard.views.doors import reader, requires
from trainerbot.errors import InvalidInput
from trainerbot.llm import ModelInfo

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One model of the endpoint. job: the fine-tune that made it, if it was ours.

    is_tuned: a fine-tune made it, so it can be deleted. is_checkpoint: it is
    not what its job came to, but what it was on the way. last: when it is switched off.
    """

    id: str
    owned_by: str
    made_at: datetime | None
    job: FineTuneJob | None
    answers: bool
    price: ModelPrice | None
    is_tuned: bool
    is_checkpoint: bool
    last: Last | None = None


@require_GET
@requires(Permission.VIEW)
def list_(request: HttpRequest) -> HttpResponse:
    """The page at once; its rows are asked for apart, since the endpoint may be slow."""
    return _page(request, PriceForm(initial={"model": request.GET.get("price", "")}))


@require_GET
@requires(Permission.VIEW)
def rows(request: HttpRequest) -> HttpResponse:
    """Ask the endpoint. Raises ProviderUnavailable, which becomes a way to try again."""
    found = providers.ask_at_once(chat.models)
    current = assistant.current().model
    if not current and found:
        current = providers.ask_at_once(chat.default_model)
    ours, their_jobs = _jobs_of(found)
    known = {
        price.model: price
        for price in ModelPrice.objects.filter(model__in=[model.id for model in found])
    }
    days = retirements.Days()
    listed = [
        Row(
            id=model.id,
            owned_by=model.owned_by,
            made_at=datetime.fromtimestamp(model.created, UTC) if model.created else None,
            job=ours.get(model.id) or their_jobs.get(_remote_job(model)),
            answers=model.id == current,
            price=known.get(model.id),
            is_tuned=model.id.startswith("ft:") or model.id in ours,
            is_checkpoint=model.id not in ours and _remote_job(model) in their_jobs,
            last=days.of(model.id),
        )
        for model in found
    ]
    return render(request, "dashboard/models/_rows.html", {"rows": listed})


@require_POST
@requires(Permission.SETTINGS)
def use(request: HttpRequest) -> HttpResponse:
    """Let a model answer on every face from the next message on."""
    model, why = _named(request), request.POST.get("why", "")
    actor = cast(User, request.user)
    try:
        said = releases.permit(
            model,
            was=assistant.current().model,
            guild=None,
            why=why,
            actor=actor,
            save=lambda: assistant.use_model(model, actor=actor),
        )
    except releases.ReasonNeeded as error:
        context = {"model": model, "why": why, "error": str(error)}
        return render(request, "dashboard/models/override.html", context, status=422)
    messages.success(request, f"{model} answers everywhere from the next message on.")
    if said:
        messages.warning(request, said)
    return redirect("model-list")


@require_http_methods(["GET", "POST"])
@requires(Permission.TRAIN)
def delete(request: HttpRequest) -> HttpResponse:
    """Ask whether a tuned model shall go, and what would be lost; then delete it."""
    if request.method == "GET":
        model = request.GET.get("model", "")
        job = FineTuneJob.objects.filter(fine_tuned_model=model).first() if model else None
        context = {"model": model, "job": job, "needed": tuned_models.uses(model)}
        return render(request, "dashboard/models/_delete.html", context)
    model = _named(request)
    tuned_models.delete(model, actor=reader(request))
    messages.success(request, f"{model} is deleted.")
    return redirect("model-list")


@require_POST
@requires(Permission.SETTINGS)
def price(request: HttpRequest) -> HttpResponse:
    """Save what a model costs from now on."""
    form = PriceForm(request.POST)
    if form.is_valid():
        saved = form.attempt(
            lambda: prices.save(**form.cleaned_data, actor=cast(User, request.user))
        )
        if saved is not None:
            messages.success(request, f"Answers of {saved.model} are counted at this price now.")
            return redirect(f"{resolve_url('model-list')}#prices")
    return _page(request, form)


@require_POST
@requires(Permission.SETTINGS)
def remove_price(request: HttpRequest) -> HttpResponse:
    """Count the answers of a model without a price from now on."""
    model = _named(request)
    prices.remove(model=model, actor=cast(User, request.user))
    messages.success(request, f"Answers of {model} cost nothing from now on, as far as we know.")
    return redirect(f"{resolve_url('model-list')}#prices")


@require_POST
@requires(Permission.SETTINGS)
def speech_price(request: HttpRequest) -> HttpResponse:
    """Save what somebody who hears or speaks costs from now on."""
    form = SpeechPriceForm(request.POST)
    if form.is_valid():
        saved = form.attempt(
            lambda: speech.save_price(**form.cleaned_data, actor=cast(User, request.user))
        )
        if saved is not None:
            name = voices.label(saved.provider)
            messages.success(request, f"Speech of {name} is counted at this price now.")
            return redirect(f"{resolve_url('model-list')}#speech-prices")
    return _page(request, PriceForm(), form)


@require_POST
@requires(Permission.SETTINGS)
def remove_speech_price(request: HttpRequest) -> HttpResponse:
    """Count somebody who hears or speaks without a price from now on."""
    provider = request.POST.get("provider", "")
    if provider not in speech.priced():
        raise InvalidInput("Nobody was named who hears or speaks. Choose one from the list.")
    speech.remove_price(provider=provider, actor=cast(User, request.user))
    messages.success(
        request, f"{voices.label(provider)} costs nothing from now on, as far as we know."
    )
    return redirect(f"{resolve_url('model-list')}#speech-prices")


def _jobs_of(
    found: list[ModelInfo],
) -> tuple[dict[str, FineTuneJob], dict[str, FineTuneJob]]:
    """Our jobs by the model that each came to, and by the endpoint's id for the job."""
    came_to = Q(fine_tuned_model__in=[model.id for model in found])
    on_the_way = Q(remote_job_id__in=[id_ for model in found if (id_ := _remote_job(model))])
    rows = FineTuneJob.objects.filter(came_to | on_the_way)
    jobs = list(rows.select_related("version__dataset"))
    return (
        {job.fine_tuned_model: job for job in jobs if job.fine_tuned_model},
        {job.remote_job_id: job for job in jobs if job.remote_job_id},
    )


def _remote_job(model: ModelInfo) -> str:
    """The id of the job that made a model, where its endpoint tells it; else ""."""
    told = model.details.get("fine_tuning_job")
    return told if isinstance(told, str) else ""


def _named(request: HttpRequest) -> str:
    """The model that a button names. Raises InvalidInput for what no model is called."""
    model = request.POST.get("model", "").strip()
    if not model or len(model) > LONGEST_NAME or "\0" in model:
        raise InvalidInput("No model was named. Choose one from the list.")
    return model


def _page(
    request: HttpRequest, form: PriceForm, speech_form: SpeechPriceForm | None = None
) -> HttpResponse:
    page = paging.page(
        ModelPrice.objects.all(),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    speech_form = speech_form or SpeechPriceForm()
    context = {
        "form": form,
        "page": page,
        "speech_form": speech_form,
        # No more of them than there are who hear and speak.
        "speech_prices": SpeechPrice.objects.order_by("provider"),
    }
    status = 422 if form.is_bound or speech_form.is_bound else 200
    return render(request, "dashboard/models/list.html", context, status=status)
