"""Pausing a fine-tune, and using what it made, in a real browser."""

from pathlib import Path

from playwright.sync_api import expect

from dashboard.models import FineTuneJob
from dashboard.services import jobs
from tests.dashboard.browser.stage import run_a_job
from tests.factories import DatasetVersionFactory, FineTuneJobFactory, UserFactory

MODEL = "ft:small:supervised:support"


def test_a_job_pauses_and_goes_on_before_ones_eyes(open_page, endpoint):
    job = run_a_job()
    endpoint.jobs[job.remote_job_id] = {"id": job.remote_job_id, "status": "running"}
    page = open_page(f"/fine-tuning/{job.pk}/", user=UserFactory(trainer=True))
    expect(page.locator("html")).to_have_attribute("data-live", "on")

    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#job-status")).to_have_text("pausing")

    # The worker has heard that it stands; the page is told.
    endpoint.jobs[job.remote_job_id]["status"] = "paused"
    FineTuneJob.objects.filter(pk=job.pk).update(status="paused")
    jobs.announce(job)
    expect(page.locator("#job-status")).to_have_text("paused")

    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#job-status")).to_have_text("queued")


def test_what_was_trained_is_tried_and_taken_along(open_page, endpoint):
    job = FineTuneJobFactory(succeeded=True, method="supervised", fine_tuned_model=MODEL)
    endpoint.keep_checkpoint(job.remote_job_id, 40, train_loss=0.5)
    endpoint.exports = {
        "adapter": ("support-adapter.zip", b"PK" * 300_000),
        "gguf": ("support.gguf", b"GGUF"),
        "merged": 0.4,
    }
    page = open_page(f"/fine-tuning/{job.pk}/", user=UserFactory(trainer=True))

    with page.expect_download() as started:
        page.get_by_role("link", name="Download LoRA adapter", exact=True).click()
    assert started.value.suggested_filename == "support-adapter.zip"
    assert Path(started.value.path()).read_bytes() == b"PK" * 300_000

    page.get_by_role("button", name="Prepare: Whole model, safetensors").click()
    expect(page.get_by_text("40 %", exact=True).last).to_be_visible()
    endpoint.exports["merged"] = ("support-merged.zip", b"PK")
    expect(page.get_by_role("link", name="Download Whole model, safetensors")).to_be_visible()

    page.get_by_role("link", name="Use the model of step 40 in the Playground").click()
    expect(page.locator("#model")).to_have_value(f"ft:{job.remote_job_id}:ckpt-step-40")


def test_a_tuned_model_is_deleted_after_a_question(open_page, endpoint):
    endpoint.models.append({"id": MODEL, "object": "model", "created": 1, "owned_by": "fake"})
    page = open_page("/models/", user=UserFactory(trainer=True))

    page.get_by_role("button", name=f"Delete {MODEL}").click()
    expect(page.get_by_role("heading", name="Delete this model?")).to_be_visible()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("heading", name="Delete this model?")).to_be_hidden()

    page.get_by_role("button", name=f"Delete {MODEL}").click()
    page.get_by_role("button", name="Delete", exact=True).click()

    expect(page.get_by_text(f"{MODEL} is deleted.")).to_be_visible()
    expect(page.get_by_role("cell", name="large")).to_be_visible()
    assert [model["id"] for model in endpoint.models] == ["small", "large"]


def test_the_numbers_follow_the_method_and_say_what_is_wrong(open_page, endpoint):
    endpoint.models[0]["fine_tune_methods"] = ["knn", "supervised", "dpo"]
    dataset = DatasetVersionFactory().dataset
    page = open_page(
        f"/fine-tuning/new/?dataset={dataset.pk}",
        user=UserFactory(trainer=True),
        tolerates=["422"],
    )

    page.get_by_role("radio", name="Preference training").check()
    expect(page.get_by_label("Beta")).to_be_visible()
    page.get_by_role("radio", name="Supervised fine-tuning").check()
    expect(page.get_by_label("Beta")).to_have_count(0)
    page.get_by_label("Epochs").fill("many")
    page.get_by_text("Advanced").click()
    page.get_by_label("LoRA rank").fill("8")
    page.get_by_role("button", name="Start fine-tune").click()

    expect(page.get_by_text("Write a whole number such as 3")).to_be_visible()
    expect(page.get_by_label("LoRA rank")).to_have_value("8")  # and it is in sight
    expect(page.get_by_label("LoRA rank")).to_be_visible()
    page.get_by_label("Epochs").fill("2")
    page.get_by_role("button", name="Start fine-tune").click()

    expect(page.locator("#job-status")).to_have_text("queued")
    assert FineTuneJob.objects.get().hyperparameters == {"n_epochs": 2, "lora_rank": 8}
