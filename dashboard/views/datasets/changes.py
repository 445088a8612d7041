"""What became of a dataset between two of its versions, for people."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dashboard.models import DatasetVersion
from dashboard.services import differences
from dashboard.services.access import Permission
from dashboard.views.datasets.found import version_of
from dashboard.views.doors import is_htmx, requires, whole_number
from trainerbot.errors import NotFound


@require_GET
@requires(Permission.VIEW)
def page(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """`?against=` names the other version; without it, the one that this was copied from."""
    version = version_of(pk, number)
    before, after = _in_order(version, _other(request, version))
    comparison = differences.between(before, after)
    only = request.GET.get("only", "")
    context = {
        "dataset": version.dataset,
        "version": version,
        "other": before if after.pk == version.pk else after,
        "comparison": comparison,
        "only": only,
        "page": comparison.page(after=request.GET.get("after", ""), only=only),
        "numbers": version.dataset.versions.order_by("-number").values_list("number", flat=True),
    }
    template = "_changes.html" if is_htmx(request) else "page.html"
    return render(request, f"dashboard/datasets/changes/{template}", context)


def _other(request: HttpRequest, version: DatasetVersion) -> DatasetVersion:
    against = request.GET.get("against", "")
    if against:
        number = whole_number(against)
        if number is None:
            raise NotFound(f"{version.dataset} has no such version.")
        return version_of(version.dataset_id, number)
    parent = version.parent
    if parent is not None and parent.dataset_id == version.dataset_id:
        return version_of(version.dataset_id, parent.number)
    earlier = version.dataset.versions.filter(number__lt=version.number).order_by("-number").first()
    if earlier is None:
        raise NotFound(f"There is no version before {version} to compare it with.")
    return version_of(version.dataset_id, earlier.number)


def _in_order(one: DatasetVersion, other: DatasetVersion) -> tuple[DatasetVersion, DatasetVersion]:
    return (one, other) if one.number < other.number else (other, one)
