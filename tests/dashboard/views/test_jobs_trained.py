"""What a job made, in the browser: checkpoints to try, files to take along."""

from collections.abc import AsyncIterator

import pytest
from asgiref.sync import async_to_sync

from dashboard.models import AuditEvent, FineTuneJob
from dashboard.services import providers
from dashboard.services.access import Role
from tests.factories import FineTuneJobFactory, TaskFactory
from tests.fakes.openai_endpoint import API_KEY

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
MODEL = "ft:tiny-chat:supervised:support"


@pytest.fixture
def job(endpoint) -> FineTuneJob:
    """A job that is over, and made a model with weights."""
    return FineTuneJobFactory(
        succeeded=True,
        method="supervised",
        remote_job_id="ftjob-7",
        fine_tuned_model=MODEL,
        endpoint=providers.endpoint().name,
    )


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


# --- pause and resume -----------------------------------------------------------------
def test_a_running_job_offers_to_pause_and_a_paused_one_to_go_on(trainer):
    running = FineTuneJobFactory(running=True)
    paused = FineTuneJobFactory(running=True, status="paused")
    over = FineTuneJobFactory(succeeded=True)

    pages = [
        trainer.get(f"/fine-tuning/{job.pk}/").content.decode() for job in (running, paused, over)
    ]

    assert [("job-pause" in page, "job-resume" in page) for page in pages] == [
        (True, False),
        (False, True),
        (False, False),
    ]
    assert "keeps what it has learned" in pages[1]


def test_a_job_is_paused_and_resumed(trainer, job, endpoint):
    FineTuneJob.objects.update(status="running", fine_tuned_model="")
    endpoint.jobs["ftjob-7"] = {"id": "ftjob-7", "status": "running"}

    page = trainer.post(f"/fine-tuning/{job.pk}/pause/", follow=True).content.decode()
    assert "pauses after its step" in page
    assert 'id="job-status">pausing<' in page

    endpoint.jobs["ftjob-7"]["status"] = "paused"
    page = trainer.post(f"/fine-tuning/{job.pk}/resume/", follow=True).content.decode()
    assert "goes on from where it stopped" in page
    assert 'id="job-status">queued<' in page


def test_an_endpoint_that_cannot_pause_is_told_in_words(trainer, job, endpoint):
    FineTuneJob.objects.update(status="running")
    endpoint.lacks = {"pause"}

    response = trainer.post(f"/fine-tuning/{job.pk}/pause/")

    assert "cannot pause and resume jobs" in response.content.decode()
    assert response.status_code == 502


# --- checkpoints ----------------------------------------------------------------------
def test_checkpoints_lead_to_the_playground_page_by_page(trainer, job, endpoint):
    for step in range(1, 13):
        endpoint.keep_checkpoint("ftjob-7", step, train_loss=1.25, valid_loss=1.5)

    first = trainer.get(f"/fine-tuning/{job.pk}/checkpoints/")
    older = first.context["older"]
    second = trainer.get(f"/fine-tuning/{job.pk}/checkpoints/", {"after": older})

    assert [row.step for row in first.context["checkpoints"]] == list(range(12, 2, -1))
    assert [row.step for row in second.context["checkpoints"]] == [2, 1]
    assert second.context["older"] == ""
    page = first.content.decode()
    assert "/playground/?model=ft%3Aftjob-7%3Ackpt-step-12" in page
    assert f"after={older}" in page
    assert ">1.25<" in page
    assert "Newest" in second.content.decode()


def test_an_endpoint_without_checkpoints_is_told_in_words(trainer, job, endpoint):
    endpoint.lacks = {"checkpoints"}

    page = trainer.get(f"/fine-tuning/{job.pk}/checkpoints/").content.decode()

    assert "lists no checkpoints" in page


def test_checkpoints_of_an_endpoint_that_is_down_can_be_asked_for_again(trainer):
    job = FineTuneJobFactory(running=True, method="dpo", endpoint=providers.endpoint().name)

    response = trainer.get(f"/fine-tuning/{job.pk}/checkpoints/", headers=HTMX)

    assert response.status_code == 503
    assert "Try again" in response.content.decode()


def test_a_job_that_runs_is_asked_for_its_checkpoints_again_and_one_that_is_over_not(
    trainer, job, endpoint
):
    over = trainer.get(f"/fine-tuning/{job.pk}/checkpoints/").content.decode()
    FineTuneJob.objects.update(status="running")
    running = trainer.get(f"/fine-tuning/{job.pk}/checkpoints/").content.decode()

    assert "data-topics" not in over
    assert f'data-topics="job.{job.pk}"' in running


# --- files ----------------------------------------------------------------------------
def test_files_are_named_with_their_size_and_what_takes_work_is_not_begun(trainer, job, endpoint):
    endpoint.exports = {"adapter": ("support-adapter.zip", b"x" * 2048), "merged": 0.0}

    page = trainer.get(f"/fine-tuning/{job.pk}/files/").content.decode()

    assert "support-adapter.zip" in page
    assert "2 KiB" in page
    assert "no weights of its own" in page  # what the endpoint says to gguf
    assert page.count("Prepare: ") == 2
    assert endpoint.seen.count("GET /v1/fine_tuning/jobs/ftjob-7/export") == 2


def test_a_merged_model_is_prepared_watched_and_then_offered(trainer, job, endpoint):
    path = f"/fine-tuning/{job.pk}/files/merged-gguf/"
    endpoint.exports["merged-gguf"] = 0.4

    begun = trainer.post(path).content.decode()
    assert 'value="40"' in begun
    assert 'hx-trigger="every 2s"' in begun
    assert AuditEvent.objects.get().action == "model.prepare"

    endpoint.exports["merged-gguf"] = ("support-merged.gguf", b"GGUF")
    ready = trainer.get(path).content.decode()
    assert f"{path}download/" in ready
    assert "every 2s" not in ready


def test_a_file_comes_through_whole_and_without_the_endpoints_key(trainer, job, endpoint):
    content = bytes(range(256)) * 4096
    endpoint.exports["gguf"] = ("support bot.gguf", content)

    response = trainer.get(f"/fine-tuning/{job.pk}/files/gguf/download/")

    assert response["Content-Disposition"] == 'attachment; filename="support bot.gguf"'
    assert response["Content-Length"] == str(len(content))
    assert API_KEY not in str(response.headers)
    assert async_to_sync(whole)(response.streaming_content) == content
    assert AuditEvent.objects.get().action == "model.export"


def test_what_cannot_be_taken_along_is_told_in_words(trainer, job, endpoint):
    refused = trainer.get(f"/fine-tuning/{job.pk}/files/adapter/download/")
    unknown = trainer.get(f"/fine-tuning/{job.pk}/files/exe/download/")
    endpoint.lacks = {"export"}
    panel = trainer.get(f"/fine-tuning/{job.pk}/files/").content.decode()

    assert "no weights of its own" in refused.content.decode()
    assert unknown.status_code == 404
    assert "hands out no files of what it trained" in panel


def test_whoever_may_not_train_is_offered_no_files(reader, job):
    path = f"/fine-tuning/{job.pk}/files/adapter/download/"

    assert reader(Role.MEMBER).get(path).status_code == 403


def test_a_deleted_model_is_told_on_the_page_of_its_job(trainer, job):
    FineTuneJob.objects.update(fine_tuned_model="")

    assert "that it made is deleted" in trainer.get(f"/fine-tuning/{job.pk}/").content.decode()


# --- what it came to --------------------------------------------------------------------
def test_the_result_and_the_numbers_are_shown_with_who_chose_them(trainer):
    job = FineTuneJobFactory(
        succeeded=True, method="supervised", hyperparameters={"n_epochs": 2}, seed=7
    )
    told = {
        "hyperparameters": {"n_epochs": 2, "batch_size": 4, "learning_rate_multiplier": 0.5},
        "result": {"general": {"asked": 30, "right_before": 30, "right_after": 27}},
        "finish": None,
    }
    TaskFactory(kind="finetune", idempotency_key=f"finetune:{job.pk}", checkpoint={"told": told})

    response = trainer.get(f"/fine-tuning/{job.pk}/")

    assert "it still answers 27." in response.content.decode()
    assert [
        (number.title, number.value, number.by_itself) for number in response.context["numbers"]
    ] == [
        ("Epochs", 2, False),
        ("Batch size", 4, True),
        ("Learning rate multiplier", 0.5, True),
        ("Seed", 7, False),
    ]
