"""Watching a fine-tune in a real browser, without ever reloading."""

import re

import pytest
from playwright.sync_api import expect

from dashboard.models import FineTuneJob
from dashboard.services import jobs
from tests.dashboard.browser.conftest import another_page
from tests.dashboard.browser.stage import run_a_job, tell
from tests.factories import DatasetVersionFactory, UserFactory


def test_a_job_is_watched_from_its_steps_to_its_model(open_page):
    job = run_a_job()
    page = open_page(f"/fine-tuning/{job.pk}/", user=UserFactory(admin=True))
    expect(page.locator("html")).to_have_attribute("data-live", "on")
    expect(page.locator("line-chart canvas")).to_be_visible()

    tell(job, "Halfway through.")
    jobs.announce(job)
    expect(page.get_by_text("Halfway through.")).to_be_visible()

    job.status, job.fine_tuned_model = "succeeded", "ft:tiny:support-bot"
    job.save()
    jobs.announce(job)

    expect(page.locator("#job-status")).to_have_text("succeeded")
    expect(page.get_by_role("link", name="Chat with it")).to_be_visible()
    expect(page.get_by_text("ft:tiny:support-bot")).to_be_visible()
    # There is nothing left to learn, so the page has stopped asking.
    progress = page.locator("#job-progress")
    for asks in ("hx-get", "data-topics"):
        expect(progress).not_to_have_attribute(asks, re.compile(""))


def test_a_running_job_can_be_cancelled(open_page):
    job = run_a_job()
    page = open_page(f"/fine-tuning/{job.pk}/", user=UserFactory(admin=True))

    page.get_by_role("button", name="Cancel job").click()

    expect(page.get_by_text("asked to stop", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Cancel job")).to_have_count(0)
    job.refresh_from_db()
    assert job.cancel_requested


@pytest.mark.origin(49)
def test_a_fine_tune_is_chosen_explained_and_started(open_page, endpoint):
    endpoint.models[0]["fine_tune_methods"] = ["knn", "supervised"]
    dataset = DatasetVersionFactory(dataset__name="support answers").dataset
    page = open_page(f"/datasets/{dataset.pk}/", user=UserFactory(admin=True))

    with another_page(page):
        page.get_by_role("link", name="Start fine-tune").click()
    expect(page.get_by_label("Dataset")).to_have_value(str(dataset.pk))
    expect(page.get_by_label("Base model")).to_have_value("small")
    expect(page.get_by_text("No weights change.")).to_be_visible()
    page.get_by_role("radio", name="Supervised fine-tuning").check()
    page.get_by_label("Epochs").fill("2")
    page.get_by_label("Name").fill("support-bot")
    page.get_by_role("button", name="Start fine-tune").click()

    expect(page).to_have_url(re.compile(r"/fine-tuning/\d+/$"))
    expect(page.locator("#job-status")).to_have_text("queued")
    job = FineTuneJob.objects.get()
    assert (job.method, job.suffix, job.hyperparameters) == (
        "supervised",
        "support-bot",
        {"n_epochs": 2},
    )


def test_an_endpoint_that_was_down_can_be_asked_again(open_page, endpoint):
    endpoint.failures = [(401, {"error": {"message": "no"}})] * 9  # more than are asked for
    page = open_page("/models/", user=UserFactory(admin=True), tolerates=["503"])
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    endpoint.failures.clear()

    again.click()

    expect(page.get_by_role("cell", name="large")).to_be_visible()
