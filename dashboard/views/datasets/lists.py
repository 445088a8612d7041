"""The list of datasets, with the imports on their way to it, and taking one out of it."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from dashboard.models import Dataset, DatasetImport, DatasetVersion
from dashboard.services import datasets
from dashboard.services.access import Permission
from dashboard.services.paging import page
from dashboard.views.datasets.found import dataset_of
from dashboard.views.datasets.progress import Watched, watch
from dashboard.views.doors import reader, requires

SHOWN_IMPORTS = 20


@dataclass(frozen=True, slots=True)
class Row:
    dataset: Dataset
    latest: DatasetVersion | None


@require_GET
@requires(Permission.VIEW)
def list_(request: HttpRequest) -> HttpResponse:
    context = {**_rows(request), "imports": _unfinished()}
    return render(request, "dashboard/datasets/list.html", context)


@require_GET
@requires(Permission.VIEW)
def rows(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/datasets/_rows.html", _rows(request))


@require_GET
@requires(Permission.VIEW)
def imports(request: HttpRequest) -> HttpResponse:
    """The files that are on their way, above the list."""
    return render(request, "dashboard/datasets/_imports.html", {"imports": _unfinished()})


@require_POST
@requires(Permission.DATA)
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    dataset = dataset_of(pk)
    datasets.archive(dataset, actor=reader(request))
    messages.success(request, f"{dataset.name} was deleted. Its jobs and models stay.")
    return redirect("dataset-list")


def _unfinished() -> list[Watched]:
    found = DatasetImport.objects.unfinished().select_related("created_by").order_by("-pk")
    return [watch(imported) for imported in found[:SHOWN_IMPORTS]]


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
