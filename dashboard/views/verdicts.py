"""Whether a fine-tune was worth it: the card on its page."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from dashboard.services import assistant, jobs, trainings, verdicts
from dashboard.services.access import Permission
from dashboard.views.doors import requires


@require_GET
@requires(Permission.VIEW)
def card(request: HttpRequest, pk: int) -> HttpResponse:
    """The verdict on a job, where it stands, or a way to ask for one."""
    job = jobs.get(pk)
    verdict = verdicts.latest(job)
    context = {
        "job": job,
        "verdict": verdict,
        "suites": verdicts.told(verdict) if verdict else [],
        "progress": verdicts.progress(verdict) if verdict else None,
    }
    return render(request, "dashboard/verdicts/_card.html", context)


@require_POST
@requires(Permission.TRAIN)
def begin(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask anew: of the corrections that are in force now, and the newest suites.

    After a training on what people taught, of what that is put to: its own server's
    corrections, and those that it did not learn.
    """
    job = jobs.get(pk)
    verdicts.begin(
        base_model=job.base_model,
        tuned_model=job.fine_tuned_model,
        job=job,
        versions=trainings.tests_of(job),
        budget_usd=assistant.current().verdict_budget_usd,
        actor=cast(User, request.user),
    )
    return redirect("job-detail", pk=job.pk)
