"""The list of fine-tune jobs, and how far each one is."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dashboard.models import FineTuneJob, LegacyJob, Task
from dashboard.services import jobs
from dashboard.services.access import Permission
from dashboard.services.paging import page
from dashboard.views.doors import requires

SHOWN_LEGACY = 200


@dataclass(frozen=True, slots=True)
class Watched:
    """A job with how far its task is. percent: 0 to 100, None while nobody knows."""

    job: FineTuneJob
    percent: int | None
    step: str
    task: Task | None = None


@require_GET
@requires(Permission.VIEW)
def list_(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/jobs/list.html", _rows(request))


@require_GET
@requires(Permission.VIEW)
def rows(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/jobs/_rows.html", _rows(request))


def with_progress(found: list[FineTuneJob]) -> list[Watched]:
    tasks = {
        task.idempotency_key: task
        for task in Task.objects.filter(idempotency_key__in=[jobs.key(job) for job in found])
    }
    return [_watched(job, tasks.get(jobs.key(job))) for job in found]


def _watched(job: FineTuneJob, task: Task | None) -> Watched:
    if job.status == "succeeded":
        return Watched(job, 100, "", task)
    if task is None:
        return Watched(job, 0, "")
    return Watched(job, task.percent or (0 if job.is_finished else None), task.step, task)


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
