"""Starting a fine-tune."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from dashboard.forms.jobs import NewJobForm
from dashboard.models import Dataset, DatasetVersion
from dashboard.services import jobs, retirements
from dashboard.services.access import Permission
from dashboard.views.doors import reader, requires, whole_number
from dashboard.views.jobs.words import METHODS


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
        method=request.POST.get("method", ""),
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
                seed=form.cleaned_data["seed"],
                created_by=reader(request),
            )
        )
        if job is not None:
            return redirect("job-detail", pk=job.pk)
    context = {"form": form, "asked": asked, "n_datasets": Dataset.objects.current().count()}
    return render(
        request, "dashboard/jobs/form.html", context, status=422 if form.is_bound else 200
    )


def _too_few(request: HttpRequest) -> str:
    """What is to be said of the size of the dataset that is chosen so far."""
    dataset = Dataset.objects.current().filter(pk=whole_number(request.GET.get("dataset", "")) or 0)
    chosen = dataset.first()
    if chosen is None:
        return ""
    asked = DatasetVersion.objects.filter(
        pk=whole_number(request.GET.get("of_version", "")) or 0, dataset=chosen
    ).first()
    version = asked or chosen.latest()
    return jobs.too_few(version) if version is not None else ""


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
    form = NewJobForm(request.GET, method=method)
    # An endpoint that names methods is our own model server, or one that knows it.
    is_ours = base is not None and "fine_tune_methods" in base.details
    return render(
        request,
        "dashboard/jobs/_choices.html",
        {
            "models": models,
            "base": base,
            "methods": [(name, *METHODS.get(name, (name, ""))) for name in offered],
            "method": method,
            "form": form,
            "plain": form.numbers(ours=False),
            "advanced": [*(form.numbers(ours=True) if is_ours else ()), form["seed"]],
            "is_advanced": form.is_advanced(),
            "retires": retirements.about_training(base) if base else [],
            "too_few": _too_few(request),
        },
    )
