"""One fine-tune job: watched, paused, resumed, cancelled."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_GET, require_POST

from dashboard.models import FineTuneEvent, FineTuneJob, Provenance
from dashboard.services import hyperparameters, jobs, outcomes, tuned_models
from dashboard.services.access import Permission
from dashboard.views.doors import reader, requires
from dashboard.views.jobs.lists import with_progress
from dashboard.views.jobs.words import METHODS

SHOWN_EVENTS = 200
SHOWN_SOURCES = 100
CHART_POINTS = 600
NEARLY = timedelta(minutes=1)  # what is nearer is not foretold

# Curves worth drawing, in the words of OpenAI's metrics, of TRL's and of our model server's.
CURVES = {
    "train_loss": "Training loss",
    "valid_loss": "Held-out loss",
    "eval_loss": "Held-out loss",
    "base_valid_loss": "Held-out loss of the base model",
    "reward_margin": "Reward margin",
    "valid_reward_margin": "Held-out reward margin",
}
# Losses fall to nothing while margins grow: each has a scale of its own.
ON_THE_RIGHT = {"reward_margin", "valid_reward_margin"}
FIGURES = CURVES | {
    "full_valid_loss": "Held-out loss, whole split",
    "train_mean_token_accuracy": "Training accuracy",
    "valid_mean_token_accuracy": "Held-out accuracy",
    "full_valid_mean_token_accuracy": "Held-out accuracy, whole split",
    "base_valid_mean_token_accuracy": "Held-out accuracy of the base model",
    "reward_accuracy": "Pairs ranked right",
    "valid_reward_accuracy": "Held-out pairs ranked right",
    "n_eval_questions": "Held-out questions",
}


@dataclass(frozen=True, slots=True)
class Number:
    """A hyperparameter of a job. by_itself: nobody asked for this value."""

    name: str
    title: str
    value: Any
    by_itself: bool


@require_GET
@requires(Permission.VIEW)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    context = _progress(pk)
    job = cast(FineTuneJob, context["job"])
    return render(request, "dashboard/jobs/detail.html", context | {"sources": _sources(job)})


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


@require_POST
@requires(Permission.TRAIN)
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    job = jobs.pause(jobs.get(pk), actor=reader(request))
    messages.info(request, "The job pauses after its step, and keeps what it has learned.")
    return redirect("job-detail", pk=job.pk)


@require_POST
@requires(Permission.TRAIN)
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    job = jobs.resume(jobs.get(pk), actor=reader(request))
    messages.info(request, "The job goes on from where it stopped.")
    return redirect("job-detail", pk=job.pk)


def _progress(pk: int) -> dict[str, object]:
    job = jobs.get(pk)
    metrics = list(job.events.filter(type="metrics").order_by("pk"))
    watched = with_progress([job])[0]
    outcome = outcomes.read(watched.task.checkpoint.get("told") if watched.task else None)
    is_ahead = outcome.done_by is not None and outcome.done_by > now() + NEARLY
    return {
        "watched": watched,
        "job": job,
        "topic": jobs.topic(job),
        "has_weights": job.method not in tuned_models.WITHOUT_WEIGHTS,
        "can_pause": jobs.can_pause(job),
        "can_resume": jobs.can_resume(job),
        "method_name": METHODS.get(job.method, (job.method, ""))[0],
        "method_text": METHODS.get(job.method, ("", ""))[1],
        "events": job.events.exclude(type="metrics").order_by("-pk")[:SHOWN_EVENTS],
        "chart": _chart(metrics),
        "figures": _figures(metrics),
        "outcome": outcome,
        "done_by": outcome.done_by if job.status == "running" and is_ahead else None,
        "numbers": _numbers(job, outcome),
        "n_trained": _n_trained(job),
    }


def _numbers(job: FineTuneJob, outcome: outcomes.Outcome) -> list[Number]:
    """What the job trains with, in the order of the form: as the endpoint tells it, else as asked."""
    told = outcome.hyperparameters or job.hyperparameters
    order = [each.name for each in hyperparameters.of(job.method)]
    names = sorted(told, key=lambda name: order.index(name) if name in order else len(order))
    found = [
        Number(name, hyperparameters.title(name), told[name], name not in job.hyperparameters)
        for name in names
        if told[name] is not None
    ]
    if job.seed is not None:
        found.append(Number("seed", "Seed", job.seed, by_itself=False))
    return found


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
        | ({"side": "right"} if name in ON_THE_RIGHT else {})
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
        if isinstance(value, int | float)
        and not isinstance(value, bool)
        # Measured on all that is held out, it is the same figure twice.
        and not (name.startswith("full_") and newest.get(name.removeprefix("full_")) == value)
    ]
