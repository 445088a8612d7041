"""A fine-tune from the button to its end, at a scripted endpoint, whatever breaks on the way."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.utils.timezone import now

from dashboard.models import FineTuneEvent, FineTuneJob, OutboxEvent, Task
from dashboard.services import jobs, providers, tasks
from tests.factories import DatasetVersionFactory, FineTuneJobFactory
from tests.fakes.openai_endpoint import FakeOpenAI, error_body

pytestmark = pytest.mark.django_db
OVERLOADED = error_body("Overloaded.")
UPLOADED = (200, {"id": "file-1", "object": "file"})
NOTHING_FOUND = (200, {"object": "list", "data": [], "has_more": False})


@pytest.fixture
def job(endpoint) -> FineTuneJob:
    """A job that was asked for and has not begun."""
    version = DatasetVersionFactory()
    return jobs.submit(dataset=version.dataset, base_model="small", suffix="rooms")


def task_of(job: FineTuneJob) -> Task:
    return Task.objects.get(idempotency_key=jobs.key(job))


def look(job: FineTuneJob, *, worker: str = "me") -> Task:
    """Let a worker look at the job once, now instead of later."""
    Task.objects.filter(state=Task.State.READY).update(run_at=now())
    assert tasks.run_next(worker, pk=task_of(job).pk)
    job.refresh_from_db()
    return task_of(job)


def created(endpoint: FakeOpenAI) -> int:
    return endpoint.seen.count("POST /v1/fine_tuning/jobs")


def test_a_job_is_uploaded_created_followed_and_finished(job, endpoint):
    assert (job.status, job.remote_job_id) == ("queued", "")

    waiting = look(job)
    assert (waiting.state, waiting.step) == (Task.State.READY, "validating_files")
    remote = endpoint.jobs[job.remote_job_id]
    assert remote["model"] == "small"
    assert remote["suffix"] == "rooms"
    assert remote["metadata"] == {"trainerbot_job": str(job.key)}
    assert remote["training_file"] == job.remote_file_id

    remote["status"] = "running"
    endpoint.say(job.remote_job_id, "Step 5/20", step=5, total_steps=20, train_loss=1.25)
    assert look(job).progress == 0.25
    assert job.status == "running"

    endpoint.finish(job.remote_job_id)
    task = look(job)
    assert (job.status, job.fine_tuned_model) == ("succeeded", f"ft:{job.remote_job_id}")
    assert (job.trained_tokens, job.error) == (123, "")
    assert job.finished_at is not None
    assert (task.state, task.progress) == (Task.State.SUCCEEDED, 1.0)
    assert task.result["model"] == job.fine_tuned_model


def test_every_row_of_the_dataset_reaches_the_endpoint(job, endpoint):
    look(job)
    sent = endpoint.files[job.remote_file_id].decode()
    rows = [json.loads(line) for line in sent.splitlines() if line.startswith('{"messages"')]
    assert len(rows) == job.version.n_examples
    assert rows[0] == job.version.examples.get(position=0).record


def test_an_event_is_stored_once_with_its_metrics_and_its_time(job, endpoint):
    look(job)
    endpoint.say(job.remote_job_id, "Step 1", step=1, total_steps=9, train_loss=2.5)
    look(job)
    Task.objects.update(checkpoint={"create_tried": True})  # as if it had not been written
    look(job)

    first, metrics = FineTuneEvent.objects.filter(job=job).order_by("pk")
    assert (first.message, first.type) == ("Created.", "message")
    assert metrics.metric("train_loss") == 2.5
    assert metrics.created_at == datetime.fromtimestamp(1000, UTC)


def test_open_pages_hear_of_each_step_but_not_of_each_look(job, endpoint):
    look(job)
    heard = OutboxEvent.objects.filter(topic=jobs.topic(job)).count()
    look(job)
    assert OutboxEvent.objects.filter(topic=jobs.topic(job)).count() == heard
    endpoint.finish(job.remote_job_id)
    look(job)
    assert OutboxEvent.objects.filter(topic=jobs.topic(job)).count() == heard + 1


def test_a_word_for_the_status_that_nobody_knows_is_shown_and_followed(job, endpoint):
    look(job)
    word = "paused_for_a_review_of_the_safety_of_the_training_data"
    endpoint.jobs[job.remote_job_id]["status"] = word
    task = look(job)
    assert word.startswith(job.status)
    assert len(job.status) == 40
    assert task.state == Task.State.READY


def test_events_as_no_endpoint_should_tell_them_are_stored_all_the_same(job, endpoint):
    look(job)
    event = endpoint.say(job.remote_job_id, "odd \x00 event")
    event.update(level="informational", type="something-entirely-different", created_at=10**15)
    look(job)
    odd = FineTuneEvent.objects.get(remote_event_id=event["id"])
    assert odd.message == "odd  event"
    assert odd.created_at > now() - timedelta(minutes=1)


def test_a_job_that_fails_there_fails_here_with_the_endpoints_words(job, endpoint):
    look(job)
    endpoint.finish(
        job.remote_job_id,
        status="failed",
        fine_tuned_model=None,
        error={"code": "bad_data", "message": "Row 3 is too long.", "param": None},
    )
    look(job)
    assert (job.status, job.error) == ("failed", "Row 3 is too long.")


# --- never two ------------------------------------------------------------------------
def test_a_creation_whose_answer_was_lost_is_found_again_and_not_repeated(job, endpoint):
    endpoint.n_answers_lost = 1

    waiting = look(job)
    assert (waiting.state, job.remote_job_id) == (Task.State.READY, "")
    assert "endpoint" in job.error

    look(job)
    assert job.remote_job_id in endpoint.jobs
    assert (len(endpoint.jobs), created(endpoint), job.error) == (1, 1, "")


def test_a_worker_that_was_killed_after_creating_finds_the_job_again(job, endpoint):
    look(job)
    remote_id = job.remote_job_id
    # As the rows were at the kill: created there, nothing stored here.
    FineTuneJob.objects.update(remote_job_id="", status="queued")
    Task.objects.update(
        state=Task.State.RUNNING, worker="killed", lease_until=now() - timedelta(seconds=1)
    )

    look(job, worker="next")

    assert job.remote_job_id == remote_id
    assert created(endpoint) == 1


def test_a_restarted_worker_goes_on_by_looking(job, endpoint):
    look(job)
    seen = len(endpoint.seen)
    Task.objects.update(
        state=Task.State.RUNNING, worker="killed", lease_until=now() - timedelta(seconds=1)
    )
    providers.close_finetune_provider()
    endpoint.finish(job.remote_job_id)

    look(job, worker="next")

    assert job.status == "succeeded"
    assert {request.split()[0] for request in endpoint.seen[seen:]} == {"GET"}


def test_the_endpoints_id_is_stored_before_anything_else_is_asked(job, endpoint):
    created = (200, {"id": "ftjob-9", "status": "queued"})
    endpoint.failures = [UPLOADED, NOTHING_FOUND, created, *[(503, OVERLOADED)] * 3]
    task = look(job)
    assert (job.remote_job_id, task.step) == ("ftjob-9", "waiting")


def test_a_file_is_uploaded_once_although_the_creation_fails(job, endpoint):
    endpoint.failures = [UPLOADED, NOTHING_FOUND, (503, OVERLOADED)]
    look(job)
    assert (job.remote_file_id, job.remote_job_id) == ("file-1", "")
    look(job)
    assert job.remote_job_id
    assert endpoint.seen.count("POST /v1/files") == 1


# --- an endpoint that is away ------------------------------------------------------------
def test_an_endpoint_that_is_down_is_waited_for_in_words(job, endpoint, settings):
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    FineTuneJob.objects.update(endpoint=providers.endpoint().name)

    task = look(job)
    first_wait = task.run_at - now()
    task = look(job)

    assert (job.status, task.state, task.step) == ("queued", Task.State.READY, "waiting")
    assert "cannot be reached" in job.error
    assert timedelta(0) < first_wait < task.run_at - now()

    settings.OPENAI_BASE_URL = endpoint.base_url
    FineTuneJob.objects.update(endpoint=providers.endpoint().name)
    task = look(job)
    assert (job.status, job.error, task.checkpoint["n_failures"]) == ("validating_files", "", 0)


def test_an_endpoint_may_be_away_for_weeks(job, endpoint):
    Task.objects.update(checkpoint={"n_failures": 20_000})
    endpoint.failures = [(503, OVERLOADED)] * 3
    task = look(job)
    assert task.state == Task.State.READY
    assert task.run_at - now() < timedelta(seconds=61)


def test_a_job_waits_while_another_endpoint_is_set(job, endpoint, settings):
    look(job)
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"

    task = look(job)

    assert (task.state, job.status) == (Task.State.READY, "validating_files")
    assert "belongs to the endpoint" in job.error


def test_a_refusal_ends_the_job_with_its_words(job, endpoint):
    endpoint.failures = [(400, error_body("The file has fewer than 10 examples."))]
    task = look(job)
    assert job.status == "failed"
    assert "The file has fewer than 10 examples." in job.error
    assert task.state == Task.State.SUCCEEDED


def test_a_key_that_is_wrong_ends_the_job_and_stays_secret(job, endpoint, settings):
    settings.OPENAI_API_KEY = "sk-wrong-0123456789"
    look(job)
    assert job.status == "failed"
    assert "does not accept the API key" in job.error
    assert "sk-wrong" not in job.error


def test_a_fault_of_ours_ends_the_job_without_its_stack(job, endpoint, caplog):
    FineTuneJob.objects.update(hyperparameters=[1])  # no code of ours writes that
    task = look(job)
    assert (job.status, task.state) == ("failed", Task.State.FAILED)
    assert "see the log" in job.error
    assert "Traceback" in caplog.text


def test_a_database_that_is_busy_while_a_run_is_followed_does_not_end_the_run(job, endpoint):
    look(job)
    endpoint.finish(job.remote_job_id)

    def busy(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "dashboard_finetunejob" in sql:
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(busy):
        task = look(job)
    assert (task.state, job.status) == (Task.State.READY, "validating_files")

    look(job)
    assert job.status == "succeeded"


# --- cancelling ---------------------------------------------------------------------------
def test_a_job_cancelled_before_it_began_never_reaches_the_endpoint(job, endpoint):
    seen = len(endpoint.seen)
    jobs.cancel(job, actor=None)
    task = look(job)
    assert (job.status, task.state) == ("cancelled", Task.State.SUCCEEDED)
    assert len(endpoint.seen) == seen


def test_a_job_cancelled_later_is_cancelled_at_the_endpoint(job, endpoint):
    look(job)
    jobs.cancel(job, actor=None)
    look(job)
    assert job.status == "cancelled"
    assert endpoint.jobs[job.remote_job_id]["status"] == "cancelled"


def test_cancelling_looks_at_once(job, endpoint):
    look(job)
    Task.objects.update(run_at=now() + timedelta(minutes=1))
    jobs.cancel(job, actor=None)
    assert task_of(job).run_at <= now()


def test_a_job_that_succeeded_before_the_cancelling_reached_it_keeps_its_model(job, endpoint):
    look(job)
    jobs.cancel(job, actor=None)
    endpoint.finish(job.remote_job_id)
    look(job)
    assert (job.status, job.fine_tuned_model) == ("succeeded", f"ft:{job.remote_job_id}")


def test_a_cancelled_job_whose_creation_was_never_heard_of_is_cancelled_there_too(job, endpoint):
    endpoint.n_answers_lost = 1
    look(job)
    jobs.cancel(job, actor=None)
    look(job)
    (remote,) = endpoint.jobs.values()
    assert (job.status, remote["status"]) == ("cancelled", "cancelled")
    assert created(endpoint) == 1


def test_a_cancelled_job_whose_creation_never_arrived_is_over(job, endpoint):
    endpoint.failures = [UPLOADED, NOTHING_FOUND, (503, OVERLOADED)]
    look(job)
    assert task_of(job).checkpoint["create_tried"]
    jobs.cancel(job, actor=None)
    look(job)
    assert (job.status, endpoint.jobs) == ("cancelled", {})


def test_a_finished_job_is_not_touched_by_a_late_task(job, endpoint):
    done = FineTuneJobFactory(succeeded=True)
    task = tasks.submit(jobs.KIND, args={"job": done.pk})
    tasks.run_next("me", pk=task.pk)
    task.refresh_from_db()
    assert task.result == {"status": "succeeded", "model": done.fine_tuned_model, "error": ""}
