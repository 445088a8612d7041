"""Testing a model in a real browser, without ever reloading."""

import re

from django.db import transaction
from playwright.sync_api import expect

from dashboard.models import Evaluation, Task
from dashboard.services.evaluations import results
from dashboard.services.evaluations.news import announce
from tests.dashboard.browser.conftest import PHONE
from tests.factories import (
    EvaluationFactory,
    LabelledVersionFactory,
    PredictionFactory,
    UserFactory,
)

# Labels as people write them: long, in other scripts, without any space.
AWKWARD = [
    "online store with a very long name of its class indeed",
    "не магазин",
    "x" * 90,
    "A&B <i>",
    "neither",
]


def test_a_test_is_chosen_explained_and_started(open_page, endpoint):
    version = LabelledVersionFactory(dataset__name="shops")
    page = open_page(f"/evaluations/new/?version={version.pk}", user=UserFactory(admin=True))

    expect(page.get_by_label("Dataset")).to_have_value(str(version.pk))
    expect(page.get_by_text("Answer with exactly one of: negative, positive.")).to_be_visible()
    page.get_by_label("Model", exact=True).select_option("small")
    page.get_by_label("At most").fill("3")
    page.get_by_role("button", name="Start test").click()

    expect(page).to_have_url(re.compile(r"/evaluations/\d+/$"))
    expect(page.locator("#evaluation-status")).to_have_text("queued")
    test = Evaluation.objects.get()
    assert (test.model, test.n_records) == ("small", 3)


def test_another_dataset_shows_its_own_labels_at_once(open_page, endpoint):
    LabelledVersionFactory(dataset__name="shops")
    pets = LabelledVersionFactory(
        dataset__name="pets", examples=[("Purrs", "cat"), ("Barks", "dog")]
    )
    page = open_page("/evaluations/new/", user=UserFactory(admin=True))

    page.get_by_label("Dataset").select_option(str(pets.pk))

    expect(page.get_by_text("Answer with exactly one of: cat, dog.")).to_be_visible()


def test_a_test_is_watched_from_its_first_answer_to_its_scores(open_page):
    test = EvaluationFactory()
    Task.objects.filter(pk=test.task.pk).update(progress=0.1)
    page = open_page(f"/evaluations/{test.pk}/", user=UserFactory(admin=True))
    expect(page.locator("html")).to_have_attribute("data-live", "on")
    expect(page.get_by_text("Waiting for the first answer.")).to_be_visible()

    examples = list(test.version.examples.order_by("position"))
    PredictionFactory(evaluation=test, example=examples[0], predicted="negative")
    Evaluation.objects.filter(pk=test.pk).update(n_done=1)
    announce(test)
    expect(page.get_by_text("1 of 4 answers")).to_be_visible()
    expect(page.get_by_text("page 0")).to_be_visible()

    for example in examples[1:]:
        PredictionFactory(evaluation=test, example=example, predicted=example.label)
    with transaction.atomic():  # a page that asks in between must not find an end without scores
        Evaluation.objects.filter(pk=test.pk).update(n_done=4, n_right=3)
        Task.objects.filter(pk=test.task.pk).update(state=Task.State.SUCCEEDED, progress=1)
        test.refresh_from_db()
        results.settle(test)

    expect(page.locator("#accuracy")).to_have_text("75.0\N{NO-BREAK SPACE}%")
    expect(page.locator("#evaluation-status")).to_have_text("succeeded")
    # There is nothing left to learn, so the page has stopped asking.
    progress = page.locator("#evaluation-progress")
    expect(progress).not_to_have_attribute("data-topics", re.compile(""))


def test_a_number_of_the_matrix_leads_to_its_texts(open_page):
    test = EvaluationFactory(done=True)
    page = open_page(f"/evaluations/{test.pk}/", user=UserFactory(admin=True))

    page.get_by_role("link", name="2 of negative taken for negative").click()

    expect(page.get_by_role("heading", name="negative taken for negative")).to_be_visible()
    answers = page.locator("#predictions details")
    expect(answers).to_have_count(2)
    answers.first.locator("summary").click()
    expect(answers.first.get_by_text('{"label":"negative"}')).to_be_visible()

    page.get_by_role("link", name="Mismatches").click()
    expect(answers).to_have_count(1)
    expect(page.get_by_text("page 0")).to_be_visible()


def test_a_waiting_test_can_be_cancelled(open_page):
    test = EvaluationFactory()
    page = open_page(f"/evaluations/{test.pk}/", user=UserFactory(admin=True))

    page.get_by_role("button", name="Cancel test").click()

    expect(page.locator("#evaluation-status")).to_have_text("cancelled")
    expect(page.get_by_role("button", name="Cancel test")).to_have_count(0)


def test_awkward_labels_and_texts_fit_a_phone(open_page, take_picture):
    rows = [("y" * 500 if n % 2 else "word " * 400, label) for n, label in enumerate(AWKWARD)]
    test = EvaluationFactory(
        version=LabelledVersionFactory(examples=rows),
        labels=AWKWARD,
        model="ft:" + "m" * 150,
        error="z" * 300,
        done=True,
    )

    for theme in ("lab", "labdark"):
        page = open_page(
            f"/evaluations/{test.pk}/?show=all",
            user=UserFactory(admin=True),
            theme=theme,
            size=PHONE,
        )
        summaries = page.locator("#predictions summary")
        expect(summaries).to_have_count(len(AWKWARD))
        for summary in summaries.all():
            summary.click()
        widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1], widths
        take_picture(page, f"test-awkward-{theme}")
