"""A job paused and resumed at its endpoint, and what is kept of what the endpoint tells."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from dashboard.models import AuditEvent, FineTuneJob, OutboxEvent, Task
from dashboard.services import jobs, outcomes, tasks
from tests.factories import DatasetVersionFactory, UserFactory
from trainerbot.errors import Conflict, InvalidInput, ProviderRefused
from trainerbot.finetune import NotOffered

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(endpoint) -> FineTuneJob:
    """A job that runs at its endpoint."""
    job = jobs.submit(dataset=DatasetVersionFactory().dataset, base_model="small")
    look(job)
    endpoint.jobs[job.remote_job_id]["status"] = "running"
    look(job)
    return job


def task_of(job: FineTuneJob) -> Task:
    return Task.objects.get(idempotency_key=jobs.key(job))


def look(job: FineTuneJob) -> Task:
    """Let a worker look at the job once, now instead of later."""
    Task.objects.filter(state=Task.State.READY).update(run_at=now())
    assert tasks.run_next("me", pk=task_of(job).pk)
    job.refresh_from_db()
    return task_of(job)


def test_a_running_job_pauses_after_its_step_and_goes_on(job, endpoint):
    trainer = UserFactory(trainer=True)
    remote = endpoint.jobs[job.remote_job_id]

    jobs.pause(job, actor=trainer)
    assert (job.status, jobs.can_pause(job), jobs.can_resume(job)) == ("pausing", False, True)
    look(job)
    assert job.status == "pausing"  # the endpoint still finishes its step

    remote["status"] = "paused"
    look(job)
    assert job.status == "paused"

    jobs.resume(job, actor=trainer)
    assert job.status == "queued"
    remote["status"] = "running"
    look(job)
    assert job.status == "running"
    audited = AuditEvent.objects.filter(actor=trainer).order_by("pk")
    assert [event.action for event in audited] == ["job.pause", "job.resume"]


def test_open_pages_hear_of_a_pause_and_a_worker_looks_at_once(job):
    Task.objects.update(run_at=now() + timedelta(minutes=1))
    heard = OutboxEvent.objects.filter(topic=jobs.topic(job)).count()

    jobs.pause(job, actor=None)

    assert OutboxEvent.objects.filter(topic=jobs.topic(job)).count() == heard + 1
    assert task_of(job).run_at <= now()


def test_a_pause_that_comes_while_a_worker_looks_is_not_forgotten(job, endpoint):
    as_the_worker_read_it = FineTuneJob.objects.get(pk=job.pk)
    jobs.pause(job, actor=None)

    look(as_the_worker_read_it)

    assert as_the_worker_read_it.status == "pausing"


def test_a_job_that_ended_before_it_paused_is_over(job, endpoint):
    jobs.pause(job, actor=None)
    endpoint.finish(job.remote_job_id)

    look(job)

    assert job.status == "succeeded"
    with pytest.raises(Conflict, match="is over already: succeeded"):
        jobs.resume(job, actor=None)


def test_an_endpoint_that_cannot_pause_says_so_and_the_job_runs_on(job, endpoint):
    endpoint.lacks = {"pause"}

    with pytest.raises(NotOffered, match="cannot pause and resume jobs"):
        jobs.pause(job, actor=None)

    job.refresh_from_db()
    assert job.status == "running"
    assert not AuditEvent.objects.filter(action="job.pause").exists()


def test_what_the_endpoint_says_against_a_pause_is_passed_on(job, endpoint):
    endpoint.jobs[job.remote_job_id]["status"] = "succeeded"

    with pytest.raises(ProviderRefused, match="Job has status 'succeeded'"):
        jobs.pause(job, actor=None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"remote_job_id": ""}, "has not reached its endpoint yet"),
        ({"cancel_requested": True}, "is asked to stop"),
        ({"status": "validating_files"}, "while it is validating files"),
        ({"status": "paused"}, "while it is paused"),
    ],
    ids=["not begun", "stopping", "validating", "paused"],
)
def test_a_job_that_does_not_run_cannot_be_paused(job, endpoint, change, words):
    FineTuneJob.objects.filter(pk=job.pk).update(**change)
    seen = len(endpoint.seen)

    with pytest.raises(Conflict, match=words):
        jobs.pause(job, actor=None)

    assert len(endpoint.seen) == seen


def test_the_chosen_numbers_and_the_figures_are_kept_with_the_task(job, endpoint):
    chosen = {"n_epochs": 6, "batch_size": 4}
    general = {"asked": 30, "right_before": 30, "right_after": 28}
    endpoint.finish(
        job.remote_job_id,
        method={"type": "supervised", "supervised": {"hyperparameters": chosen}},
        result={"general": general},
    )

    task = look(job)

    outcome = outcomes.read(task.checkpoint["told"])
    assert outcome.hyperparameters == chosen
    assert outcome.measures == [outcomes.Measure("general", **general)]
    assert job.hyperparameters == {}  # as they were asked for


def test_numbers_out_of_range_start_no_job(endpoint):
    dataset = DatasetVersionFactory().dataset

    with pytest.raises(InvalidInput, match=r"Epochs \(n_epochs\): Choose a number from 1 to 50"):
        jobs.submit(dataset=dataset, hyperparameters={"n_epochs": float("nan")})

    assert not FineTuneJob.objects.exists()
