"""Tests of models on labelled texts: listed, started, watched, read, cancelled."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.evaluations import NewEvaluationForm
from dashboard.models import DatasetVersion, Evaluation
from dashboard.services import chat, evaluations, providers
from dashboard.services.access import Permission
from dashboard.services.evaluations import cases
from dashboard.services.paging import page
from dashboard.views.doors import requires
from trainerbot.errors import InvalidInput


@require_GET
@requires(Permission.VIEW)
def list_(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/evaluations/list.html", _rows(request))


@require_GET
@requires(Permission.VIEW)
def rows(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/evaluations/_rows.html", _rows(request))


@require_http_methods(["GET", "POST"])
@requires(Permission.TRAIN)
def new(request: HttpRequest) -> HttpResponse:
    form = NewEvaluationForm(
        request.POST or None,
        initial={"version": request.GET.get("version"), "model": request.GET.get("model", "")},
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        evaluation = form.attempt(
            lambda: evaluations.submit(
                version=given["version"],
                model=given["model"],
                part=given["part"],
                limit=given["limit"],
                labels=given["labels"],
                instruction=given["instruction"],
                created_by=cast(User, request.user),
            )
        )
        if evaluation is not None:
            return redirect("evaluation-detail", pk=evaluation.pk)
    context = {"form": form, "has_versions": cases.testable().exists()}
    return render(
        request, "dashboard/evaluations/form.html", context, status=422 if form.is_bound else 200
    )


@require_GET
@requires(Permission.TRAIN)
def choices(request: HttpRequest) -> HttpResponse:
    """What the endpoint offers to ask, and what it would be asked; apart, since it may be slow."""
    models = providers.ask_at_once(chat.models)
    number = request.GET.get("version", "")
    version = (
        DatasetVersion.objects.select_related("dataset").filter(pk=number).first()
        if number.isascii() and number.isdecimal() and len(number) < 19
        else None
    )
    context: dict[str, object] = {
        "models": models,
        "model": request.GET.get("model", ""),
        "version": version,
    }
    if version is not None:
        try:
            labels = cases.choices(version, ())
            context |= {"labels": labels, "instruction": cases.instruction_of(version, labels)}
        except InvalidInput as error:
            context["refusal"] = str(error)
    return render(request, "dashboard/evaluations/_choices.html", context)


@require_GET
@requires(Permission.VIEW)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    context = _progress(pk) | _predictions(request, pk)
    return render(request, "dashboard/evaluations/detail.html", context)


@require_GET
@requires(Permission.VIEW)
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The live part of a test's page."""
    return render(request, "dashboard/evaluations/_progress.html", _progress(pk))


@require_GET
@requires(Permission.VIEW)
def predictions(request: HttpRequest, pk: int) -> HttpResponse:
    """One page of a test's answers."""
    return render(request, "dashboard/evaluations/_predictions.html", _predictions(request, pk))


@require_POST
@requires(Permission.TRAIN)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    evaluation = evaluations.cancel(evaluations.get(pk), actor=cast(User, request.user))
    return redirect("evaluation-detail", pk=evaluation.pk)


def _rows(request: HttpRequest) -> dict[str, object]:
    found = page(
        Evaluation.objects.select_related("version__dataset", "task"),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    return {"page": found, "evaluations": found.rows}


def _progress(pk: int) -> dict[str, object]:
    evaluation = evaluations.get(pk)
    return {
        "evaluation": evaluation,
        "topics": f"{evaluations.topic(evaluation)} tasks",
        "error": evaluation.error or (evaluation.task.error if evaluation.is_finished else ""),
    }


def _predictions(request: HttpRequest, pk: int) -> dict[str, object]:
    evaluation = evaluations.get(pk)
    asked = request.GET
    expected, predicted = asked.get("expected"), asked.get("predicted")
    is_cell = expected is not None and predicted is not None
    show = "" if is_cell else asked.get("show", "wrong")
    found = evaluations.predictions(
        evaluation,
        show=show,
        expected=expected,
        predicted=predicted,
        after=asked.get("after", ""),
        before=asked.get("before", ""),
    )
    n = evaluation
    return {
        "evaluation": evaluation,
        "topics": f"{evaluations.topic(evaluation)} tasks",
        "page": found,
        "show": show,
        "is_cell": is_cell,
        "expected": expected,
        "predicted": predicted,
        "tabs": [
            ("wrong", "Mismatches", n.n_done - n.n_right),
            ("unknown", "Unknown", n.n_unknown),
            ("right", "Right", n.n_right),
            ("all", "All", n.n_done),
        ],
    }
