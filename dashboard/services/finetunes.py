"""The task `finetune`: validate, upload, create, follow, finish.

Each remote id is stored before the next step, and a job is looked up by its
own key before it is created, so a resumed worker goes on with the job that
exists and never pays for a second one.
"""

import logging
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from dashboard.models import FineTuneEvent, FineTuneJob
from dashboard.services import datasets, jobs, outcomes, storage, tasks
from dashboard.services.tasks import Later, Run
from trainerbot.errors import ProviderRefused, ProviderUnavailable, StorageFull, TrainerBotError
from trainerbot.finetune import FineTuneProvider, JobSpec, RemoteEvent, RemoteJob

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 60.0
DATABASE_WAIT_S = 5.0


@tasks.handler(jobs.KIND)
def follow(run: Run) -> Later | dict[str, Any]:
    """Bring one job a step further; called again until it is over.

    An endpoint that does not answer is waited for, in words on the job's
    page, and so is a database or a disk that takes nothing: a run that is
    paid for goes on meanwhile. A refusal ends the job.
    """
    job = FineTuneJob.objects.select_related("version__dataset").get(pk=run.args["job"])
    if job.is_finished:
        return _result(job)
    try:
        with storage.failures_in_words():
            _advance(run, job)
    except (tasks.LeaseLost, tasks.Cancelled):
        raise
    except storage.DatabaseUnavailable as error:
        log.warning("Job %s waits for the database: %s", job.pk, error.__cause__)
        return Later(DATABASE_WAIT_S)
    except (ProviderUnavailable, StorageFull) as error:
        return _wait(run, job, error)
    except TrainerBotError as error:
        if isinstance(error, storage.DatabaseRefused):
            log.exception("The rows of job %s do not fit", job.pk)
        _end(job, status="failed", error=str(error))
    except Exception:
        _end(job, status="failed", error="It broke in a way that was not foreseen; see the log.")
        raise
    return _result(job) if job.is_finished else Later(_pause_s(job))


def _wait(run: Run, job: FineTuneJob, error: TrainerBotError) -> Later:
    """Say on the job's page what it waits for, and look again after 2, 4, 8 ... 60 s."""
    n_failures = int(run.checkpoint.get("n_failures", 0)) + 1
    run.save(step="waiting", n_failures=n_failures)
    _note(job, error=str(error))
    return Later(min(2.0 ** min(n_failures, 10), LONGEST_WAIT_S))


def _advance(run: Run, job: FineTuneJob) -> None:
    """One step at the endpoint, or the end of a job that was cancelled before it got there."""
    if not job.remote_job_id:
        # Once a creation was tried, a job may run there although we never heard
        # its id; until then a cancelled one is over.
        if job.cancel_requested and not run.checkpoint.get("create_tried"):
            _end(job, status="cancelled")
            return
        _begin(run, job, jobs.provider_of(job))
        if not job.remote_job_id:
            return
    provider = jobs.provider_of(job)
    remote, refusal = provider.retrieve(job.remote_job_id), ""
    if job.cancel_requested and not remote.ended:
        try:
            remote = provider.cancel(job.remote_job_id)
        except ProviderRefused as error:
            refusal = str(error)
    told = outcomes.told(remote)
    if told != run.checkpoint.get("told"):
        # Before the end is stored: after it nobody asks the endpoint again.
        run.save(told=told)
    last = run.checkpoint.get("last_event")
    events = provider.events(job.remote_job_id, after=last)
    _store(job, remote, events, refusal=refusal)
    run.save(
        step=remote.status[:60],
        progress=_progress(events, before=run.task.progress),
        n_failures=0,
        last_event=events[-1].id if events else last,
    )


def _begin(run: Run, job: FineTuneJob, provider: FineTuneProvider) -> None:
    """Upload and create, each once; for a cancelled job, only find what was created."""
    metadata = {"trainerbot_job": str(job.key)}
    if job.cancel_requested:
        found = provider.find(metadata)
        if found is None:
            _end(job, status="cancelled")
        else:
            _keep(job, found)
        return
    if not job.remote_file_id:
        run.save(step="uploading")
        _upload(job, provider)
    run.save(step="creating", create_tried=True)
    spec = JobSpec(
        base_model=job.base_model,
        method=job.method,
        suffix=job.suffix or None,
        seed=job.seed,
        hyperparameters=job.hyperparameters,
        metadata=metadata,
    )
    created = provider.find(metadata) or provider.create(
        spec,
        training_file=job.remote_file_id,
        validation_file=job.remote_validation_file_id or None,
    )
    _keep(job, created)


def _upload(job: FineTuneJob, provider: FineTuneProvider) -> None:
    """Send the training rows, and the held-out ones of a version that was split."""
    if job.version.split:
        if not job.remote_validation_file_id and _has_rows(job, "validation"):
            job.remote_validation_file_id = _send(job, provider, part="validation")
            job.save(update_fields=["remote_validation_file_id"])
        job.remote_file_id = _send(job, provider, part="train")
    else:
        job.remote_file_id = _send(job, provider)
    job.save(update_fields=["remote_file_id"])


def _send(job: FineTuneJob, provider: FineTuneProvider, *, part: str = "") -> str:
    name = f"{job.version.dataset.pk}-v{job.version.number}{part and f'-{part}'}.jsonl"
    with tempfile.TemporaryDirectory(prefix="trainerbot-") as folder:
        path = Path(folder) / name
        datasets.write_training_file(job.version, path, method=job.method, part=part)
        return provider.upload(path)


def _has_rows(job: FineTuneJob, part: str) -> bool:
    return job.version.examples.filter(part=part).exists()


@transaction.atomic
def _keep(job: FineTuneJob, remote: RemoteJob) -> None:
    """Store the endpoint's id, before anything else is done with the job."""
    job.remote_job_id = remote.id
    job.save(update_fields=["remote_job_id"])
    jobs.announce(job)


@transaction.atomic
def _store(job: FineTuneJob, remote: RemoteJob, events: list[RemoteEvent], *, refusal: str) -> None:
    """Store what the endpoint said; an event that is there already is not stored again."""
    locked = FineTuneJob.objects.select_for_update().filter(pk=job.pk)
    before = (locked.values_list("status", flat=True).get(), job.error)
    FineTuneEvent.objects.bulk_create(
        [
            FineTuneEvent(
                job=job,
                remote_event_id=event.id[:100],
                level=event.level[:10],
                type=event.type[:20],
                message=event.message.replace("\x00", ""),
                data=event.data,
                created_at=_moment(event.created_at),
            )
            for event in events
        ],
        ignore_conflicts=True,
    )
    # Asked to pause since we looked, and the endpoint still finishes a step.
    is_pausing = before[0] == jobs.PAUSING and remote.status == "running"
    job.status = jobs.PAUSING if is_pausing else remote.status[:40]
    job.fine_tuned_model = remote.fine_tuned_model or ""
    job.trained_tokens = remote.trained_tokens
    job.error = remote.error_message or refusal
    if job.is_finished:
        job.finished_at = now()
    if job.fine_tuned_model and job.status == "succeeded":
        # Once, also where this is stored again after a kill.
        tasks.submit("judge-job", args={"job": job.pk}, key=f"judge-job:{job.pk}")
    job.save(update_fields=["status", "fine_tuned_model", "trained_tokens", "error", "finished_at"])
    if events or before != (job.status, job.error):
        jobs.announce(job)


@transaction.atomic
def _note(job: FineTuneJob, *, error: str) -> None:
    if job.error != error:
        job.error = error
        job.save(update_fields=["error"])
        jobs.announce(job)


@transaction.atomic
def _end(job: FineTuneJob, *, status: str, error: str = "") -> None:
    job.status, job.error, job.finished_at = status, error, now()
    job.save(update_fields=["status", "error", "finished_at"])
    jobs.announce(job)


def _result(job: FineTuneJob) -> dict[str, Any]:
    return {"status": job.status, "model": job.fine_tuned_model, "error": job.error}


def _moment(unix_s: int) -> datetime:
    """When an event happened, as its endpoint tells it; now, where that is no time at all."""
    try:
        return datetime.fromtimestamp(unix_s, UTC)
    except (ValueError, OverflowError, OSError):
        return now()


def _progress(events: list[RemoteEvent], *, before: float) -> float:
    """Share of the training steps done, as the newest metrics tell it."""
    for event in reversed(events):
        step, total = event.data.get("step"), event.data.get("total_steps")
        if isinstance(step, int) and isinstance(total, int) and total > 0:
            return step / total
    return before


def _pause_s(job: FineTuneJob) -> float:
    """A young job is looked at each second; one that takes hours, each quarter of a minute.

    Whoever paused one waits to see it stand.
    """
    if job.status == jobs.PAUSING:
        return 1.0
    age_s = (now() - job.created_at).total_seconds()
    return 1.0 if age_s < 120 else 3.0 if age_s < 1200 else 15.0
