"""Fine-tune jobs: listed, started, watched, cancelled."""

import json
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.jobs import NewJobForm
from dashboard.models import (
    Dataset,
    DatasetVersion,
    FineTuneEvent,
    FineTuneJob,
    LegacyJob,
    Provenance,
    Task,
)
from dashboard.services import jobs
from dashboard.services.access import Permission
from dashboard.services.paging import page
from dashboard.views.doors import reader, requires, whole_number

SHOWN_EVENTS = 200
SHOWN_LEGACY = 200
SHOWN_SOURCES = 100
CHART_POINTS = 600

# What each method does to a model, for somebody who has never trained one.
METHODS = {
    "knn": (
        "Nearest examples",
        "No weights change. Asked nearly the same question, the new model answers with your "
        "example's own words; else it reads the nearest examples before it answers. "
        "Ready in about a minute.",
    ),
    "supervised": (
        "Supervised fine-tuning",
        "Changes the model's weights until it answers the way your examples do. "
        "Takes minutes to hours.",
    ),
    "dpo": (
        "Preference training",
        "Changes the weights so that the preferred answer of each pair becomes likelier "
        "than the other. Needs examples with both answers.",
    ),
}
WITH_EPOCHS = {"supervised", "dpo"}

# Curves worth drawing, in the words of OpenAI's metrics, of TRL's and of our model server's.
CURVES = {
    "train_loss": "Training loss",
    "valid_loss": "Held-out loss",
    "eval_loss": "Held-out loss",
    "base_valid_loss": "Held-out loss of the base model",
}
FIGURES = CURVES | {
    "full_valid_loss": "Held-out loss, whole split",
    "train_mean_token_accuracy": "Training accuracy",
    "valid_mean_token_accuracy": "Held-out accuracy",
    "full_valid_mean_token_accuracy": "Held-out accuracy, whole split",
    "base_valid_mean_token_accuracy": "Held-out accuracy of the base model",
    "n_eval_questions": "Held-out questions",
}


@dataclass(frozen=True, slots=True)
class Watched:
    """A job with how far its task is. percent: 0 to 100, None while nobody knows."""

    job: FineTuneJob
    percent: int | None
    step: str


@require_GET
@requires(Permission.VIEW)
def list_(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/jobs/list.html", _rows(request))


@require_GET
@requires(Permission.VIEW)
def rows(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/jobs/_rows.html", _rows(request))


@require_http_methods(["GET", "POST"])
@requires(Permission.TRAIN)
def new(request: HttpRequest) -> HttpResponse:
    asked = DatasetVersion.objects.filter(
        dataset=whole_number(request.GET.get("dataset", "")),
        number=whole_number(request.GET.get("version", "")),
    ).first()
    form = NewJobForm(
        request.POST or None,
        initial={
            "dataset": request.GET.get("dataset"),
            "of_version": asked.pk if asked is not None else None,
        },
    )
    if request.method == "POST" and form.is_valid():
        job = form.attempt(
            lambda: jobs.submit(
                dataset=form.cleaned_data["dataset"],
                version=form.version(),
                base_model=form.cleaned_data["base_model"],
                method=form.cleaned_data["method"],
                suffix=form.cleaned_data["suffix"],
                hyperparameters=form.hyperparameters(),
                created_by=reader(request),
            )
        )
        if job is not None:
            return redirect("job-detail", pk=job.pk)
    context = {"form": form, "asked": asked, "n_datasets": Dataset.objects.current().count()}
    return render(
        request, "dashboard/jobs/form.html", context, status=422 if form.is_bound else 200
    )


@require_GET
@requires(Permission.TRAIN)
def choices(request: HttpRequest) -> HttpResponse:
    """What the endpoint offers to start from, and how; asked apart, since it may be slow."""
    models = jobs.base_models()
    wanted = request.GET.get("base_model", "")
    base = next((model for model in models if model.id == wanted), models[0] if models else None)
    offered = jobs.methods(base) if base else []
    method = request.GET.get("method", "")
    method = method if method in offered else offered[0] if offered else ""
    return render(
        request,
        "dashboard/jobs/_choices.html",
        {
            "models": models,
            "base": base,
            "methods": [(name, *METHODS.get(name, (name, ""))) for name in offered],
            "method": method,
            "with_epochs": method in WITH_EPOCHS,
            "form": NewJobForm(request.GET),
        },
    )


@require_GET
@requires(Permission.VIEW)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "dashboard/jobs/detail.html", _progress(pk))


@require_GET
@requires(Permission.VIEW)
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The live part of a job's page."""
    return render(request, "dashboard/jobs/_progress.html", _progress(pk))


@require_POST
@requires(Permission.TRAIN)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    job = jobs.cancel(jobs.get(pk), actor=reader(request))
    messages.info(request, "The job is asked to stop. What it has trained so far is thrown away.")
    return redirect("job-detail", pk=job.pk)


def with_progress(found: list[FineTuneJob]) -> list[Watched]:
    tasks = {
        task.idempotency_key: task
        for task in Task.objects.filter(idempotency_key__in=[jobs.key(job) for job in found])
    }
    return [_watched(job, tasks.get(jobs.key(job))) for job in found]


def _watched(job: FineTuneJob, task: Task | None) -> Watched:
    if job.status == "succeeded":
        return Watched(job, 100, "")
    if task is None:
        return Watched(job, 0, "")
    return Watched(job, task.percent or (0 if job.is_finished else None), task.step)


def _rows(request: HttpRequest) -> dict[str, object]:
    found = page(
        FineTuneJob.objects.select_related("version__dataset"),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    legacy = list(LegacyJob.objects.order_by("-pk")[: SHOWN_LEGACY + 1])
    return {
        "page": found,
        "jobs": with_progress(found.rows),
        "legacy": legacy[:SHOWN_LEGACY],
        "more_legacy": len(legacy) > SHOWN_LEGACY,
    }


def _progress(pk: int) -> dict[str, object]:
    job = jobs.get(pk)
    metrics = list(job.events.filter(type="metrics").order_by("pk"))
    return {
        "watched": with_progress([job])[0],
        "job": job,
        "topic": jobs.topic(job),
        "method_name": METHODS.get(job.method, (job.method, ""))[0],
        "method_text": METHODS.get(job.method, ("", ""))[1],
        "events": job.events.exclude(type="metrics").order_by("-pk")[:SHOWN_EVENTS],
        "chart": _chart(metrics),
        "figures": _figures(metrics),
        "n_trained": _n_trained(job),
        "sources": _sources(job),
    }


def _n_trained(job: FineTuneJob) -> int:
    """How many examples the model learnt from: of a split version those for training alone."""
    if not job.version.split:
        return job.version.n_examples
    return job.version.examples.filter(part="train").count()


def _sources(job: FineTuneJob) -> list[dict[str, Any]]:
    """Whence the examples came as it was proved when the job was started, with titles."""
    titles = dict(Provenance.Source.choices)
    told = job.provenance.get("sources", [])[:SHOWN_SOURCES]
    return [each | {"title": titles.get(each["source"], each["source"])} for each in told]


def _chart(metrics: list[FineTuneEvent]) -> str:
    """The curves of a run as JSON for <line-chart>; "" while there are no two points."""
    stepped = [event for event in metrics if event.metric("step") is not None]
    thin = max(1, -(-len(stepped) // CHART_POINTS))
    # The newest point is always drawn, whichever are left out.
    points = stepped[::-1][::thin][::-1]
    series = [
        {
            "label": label,
            "values": [event.metric(name) for event in points],
        }
        for name, label in CURVES.items()
        if any(event.metric(name) is not None for event in points)
    ]
    if len(points) < 2 or not series:
        return ""
    return json.dumps({"x": [event.metric("step") for event in points], "series": series})


def _figures(metrics: list[FineTuneEvent]) -> list[tuple[str, float]]:
    """The newest value of everything that was measured."""
    newest: dict[str, Any] = {}
    for event in metrics:
        newest.update(event.data)
    return [
        (FIGURES.get(name, name.replace("_", " ").capitalize()), value)
        for name, value in newest.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
