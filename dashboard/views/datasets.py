"""Datasets: listed, uploaded, looked into, deleted."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.datasets import UploadForm
from dashboard.models import Dataset, DatasetVersion
from dashboard.services import datasets
from dashboard.services.access import Permission
from dashboard.services.datasets import DatasetRefused
from dashboard.services.paging import page
from dashboard.views.doors import requires, wants_json
from trainerbot.errors import NotFound

SHOWN_PROBLEMS = 50
EXAMPLES_A_PAGE = 20


@dataclass(frozen=True, slots=True)
class Row:
    dataset: Dataset
    latest: DatasetVersion | None


@require_GET
@requires(Permission.VIEW)
def list_(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/datasets/list.html", _rows(request))


@require_GET
@requires(Permission.VIEW)
def rows(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/datasets/_rows.html", _rows(request))


@require_http_methods(["GET", "POST"])
@requires(Permission.DATA)
def upload(request: HttpRequest) -> HttpResponse:
    """Take a file: as JSON for upload.js, which draws the progress, else as a plain form."""
    form = UploadForm(
        request.POST or None, request.FILES or None, initial={"name": request.GET.get("name", "")}
    )
    refused: DatasetRefused | None = None
    if request.method == "POST" and form.is_valid():
        try:
            version = _import(request, form)
        except DatasetRefused as error:
            refused = error
            form.add_error("file", str(error))
        else:
            messages.success(
                request, f"{version}: {version.n_examples:,} examples are ready to train on."
            )
            where = resolve_url("dataset-detail", pk=version.dataset_id)
            return JsonResponse({"location": where}) if wants_json(request) else redirect(where)
    problems = refused.report.problems[:SHOWN_PROBLEMS] if refused else []
    if request.method == "POST" and wants_json(request):
        first = next((text for errors in form.errors.values() for text in errors), "")
        found = [{"line": each.line, "message": each.message} for each in problems]
        return JsonResponse({"problem": str(first), "problems": found}, status=422)
    status = 422 if form.is_bound else 200
    context = {"form": form, "problems": problems}
    return render(request, "dashboard/datasets/form.html", context, status=status)


@require_GET
@requires(Permission.VIEW)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    dataset = _get(pk)
    version = _version(request, dataset)
    versions = dataset.versions.select_related("created_by").order_by("-number")
    return render(
        request,
        "dashboard/datasets/detail.html",
        {
            "dataset": dataset,
            "versions": versions[:50],
            "jobs": version.jobs.order_by("-pk")[:10],
            **_examples(request, version),
        },
    )


@require_GET
@requires(Permission.VIEW)
def examples(request: HttpRequest, pk: int) -> HttpResponse:
    """One page of a version's rows."""
    version = _version(request, _get(pk))
    return render(request, "dashboard/datasets/_examples.html", _examples(request, version))


@require_POST
@requires(Permission.DATA)
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    dataset = _get(pk)
    datasets.archive(dataset, actor=cast(User, request.user))
    messages.success(request, f"{dataset.name} was deleted. Its jobs and models stay.")
    return redirect("dataset-list")


def _import(request: HttpRequest, form: UploadForm) -> DatasetVersion:
    file: TemporaryUploadedFile = form.cleaned_data["file"]
    return datasets.import_file(
        Path(file.temporary_file_path()),
        name=form.cleaned_data["name"],
        filename=file.name or "",
        created_by=cast(User, request.user),
    )


def _rows(request: HttpRequest) -> dict[str, object]:
    found = page(
        Dataset.objects.current().select_related("created_by"),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    newest = {
        version.dataset_id: version
        for version in DatasetVersion.objects.filter(dataset__in=found.rows).order_by("number")
    }
    return {
        "page": found,
        "rows": [Row(dataset, newest.get(dataset.pk)) for dataset in found.rows],
    }


def _examples(request: HttpRequest, version: DatasetVersion) -> dict[str, object]:
    found = page(
        version.examples.all(),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        size=EXAMPLES_A_PAGE,
        key="position",
        newest_first=False,
    )
    return {"dataset": version.dataset, "version": version, "page": found}


def _get(pk: int) -> Dataset:
    dataset = Dataset.objects.current().filter(pk=pk).first()
    if dataset is None:
        raise NotFound("There is no such dataset. It may have been deleted.")
    return dataset


def _version(request: HttpRequest, dataset: Dataset) -> DatasetVersion:
    number = request.GET.get("version", "")
    chosen = dataset.versions.filter(number=number).first() if number.isdecimal() else None
    version = chosen if number else dataset.latest()
    if version is None:
        raise NotFound(f"{dataset.name} has no such version.")
    return version
