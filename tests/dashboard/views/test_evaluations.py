"""The pages of tests."""

import pytest
from django.template.loader import render_to_string

from dashboard.models import Evaluation, Task
from dashboard.services.access import Role
from dashboard.views.doors import Door
from tests.factories import (
    DatasetVersionFactory,
    EvaluationFactory,
    LabelledVersionFactory,
)

pytestmark = pytest.mark.django_db


def page(client, address: str, **kwargs: object) -> str:
    return client.get(address, **kwargs).content.decode()


def test_the_list_tells_the_next_step_while_it_is_empty(trainer):
    assert "No model has been tested yet" in page(trainer, "/evaluations/")


def test_the_list_shows_accuracy_and_how_far_a_test_is(trainer):
    EvaluationFactory(done=True)
    EvaluationFactory()

    shown = page(trainer, "/evaluations/")

    assert "75.0\N{NO-BREAK SPACE}%" in shown
    assert "queued" in shown


def test_a_finished_test_shows_its_scores_and_asks_for_nothing_more(trainer):
    test = EvaluationFactory(done=True)

    shown = page(trainer, f"/evaluations/{test.pk}/")

    assert "75.0\N{NO-BREAK SPACE}%" in shown
    assert "95 % confidence" in shown
    assert "Macro F1" in shown
    assert 'aria-label="1 of positive taken for unknown"' in shown
    assert f"/evaluations/{test.pk}/progress/" not in shown
    assert "Cancel test" not in shown


def test_mismatches_come_first_each_with_text_and_words(trainer):
    test = EvaluationFactory(done=True)

    shown = page(trainer, f"/evaluations/{test.pk}/predictions/")

    assert "page 0" in shown
    assert "Add to basket" in shown
    assert "{&quot;label&quot;:&quot;&quot;}" in shown
    assert "page 1" not in shown


def test_a_cell_of_the_matrix_filters_the_answers(trainer):
    test = EvaluationFactory(done=True)
    address = f"/evaluations/{test.pk}/predictions/"

    cell = page(trainer, f"{address}?expected=negative&predicted=negative")

    assert "page 1" in cell
    assert "page 0" not in cell
    assert "negative taken for negative" in cell


def test_a_damaged_page_address_is_refused_in_words(trainer):
    test = EvaluationFactory(done=True)

    for query in ("after=x", "show=everything"):
        answer = trainer.get(f"/evaluations/{test.pk}/predictions/?{query}")
        assert answer.status_code == 400


def test_a_test_of_many_labels_lists_its_confusions_instead_of_a_matrix(trainer):
    rows = [(f"page {n}", f"class {n}") for n in range(30)]
    version = LabelledVersionFactory(examples=rows)
    test = EvaluationFactory(version=version, labels=sorted(label for _, label in rows), done=True)

    shown = page(trainer, f"/evaluations/{test.pk}/")

    assert "What was most often taken for something else" in shown
    assert shown.count('scope="col"') < 20


def test_a_waiting_test_follows_its_news_and_can_be_cancelled(trainer):
    test = EvaluationFactory(error="The endpoint is away.")

    shown = page(trainer, f"/evaluations/{test.pk}/")
    assert f'data-topics="evaluation.{test.pk} tasks"' in shown
    assert "The endpoint is away." in shown

    assert trainer.post(f"/evaluations/{test.pk}/cancel/").status_code == 302
    test.task.refresh_from_db()
    assert test.task.state == Task.State.CANCELLED


def test_a_member_sees_no_tests(reader):
    assert reader(Role.MEMBER).get("/evaluations/").status_code == 403


def test_the_form_without_data_leads_to_the_upload(trainer):
    assert "There is nothing to test on yet" in page(trainer, "/evaluations/new/")


def test_the_choices_name_models_labels_and_what_is_told(trainer, endpoint):
    version = LabelledVersionFactory()

    shown = page(trainer, f"/evaluations/new/choices/?version={version.pk}&model=tiny-chat")

    assert '<option value="tiny-chat" selected>' in shown
    assert "Answer with exactly one of: negative, positive." in shown


def test_the_choices_say_why_a_dataset_cannot_be_tested(trainer, endpoint):
    version = DatasetVersionFactory(n_examples=30)

    shown = page(trainer, f"/evaluations/new/choices/?version={version.pk}")

    assert "no labels" in shown


@pytest.mark.parametrize("number", ["", "x", "9" * 40, "٣", "12345"])
def test_the_choices_of_no_dataset_are_models_only(trainer, endpoint, number):
    shown = page(trainer, f"/evaluations/new/choices/?version={number}")

    assert "tiny-chat" in shown
    assert "Labels to choose from" not in shown


def test_a_test_is_started_from_the_form(trainer, endpoint):
    version = LabelledVersionFactory()

    answer = trainer.post(
        "/evaluations/new/",
        {
            "version": version.pk,
            "model": "tiny-chat",
            "limit": "3",
            "labels": " positive\r\nnegative \r\n\r\nneither",
            "instruction": "Is it a shop?",
        },
    )

    test = Evaluation.objects.get()
    assert answer["Location"] == f"/evaluations/{test.pk}/"
    assert (test.model, test.n_records) == ("tiny-chat", 3)
    assert test.labels == ["positive", "negative", "neither"]
    assert test.created_by is not None


def test_a_refusal_stands_on_the_form(trainer, endpoint):
    version = LabelledVersionFactory()

    answer = trainer.post(
        "/evaluations/new/", {"version": version.pk, "model": "m", "labels": "other"}
    )

    assert answer.status_code == 422
    assert "also has the label" in answer.content.decode()


def test_words_of_data_and_model_are_never_markup(trainer):
    evil = "<script>alert(1)</script>"
    version = LabelledVersionFactory(examples=[(evil, "<b>"), ("x", "<i>")])
    test = EvaluationFactory(version=version, labels=["<b>", "<i>"], done=True)

    shown = page(trainer, f"/evaluations/{test.pk}/?show=all")

    assert evil not in shown
    assert "<b>" not in shown


def test_the_page_of_a_dataset_can_show_its_tests(rf):
    test = EvaluationFactory(done=True)
    request = rf.get("/")
    request.door = Door(outbox_id=0, may={"view": True, "train": True})

    shown = render_to_string(
        "dashboard/evaluations/_of_version.html", {"version": test.version}, request
    )
    of_talk = render_to_string(
        "dashboard/evaluations/_of_version.html", {"version": DatasetVersionFactory()}, request
    )

    assert f'href="/evaluations/{test.pk}/"' in shown
    assert f'href="/evaluations/new/?version={test.version_id}"' in shown
    assert of_talk.strip() == ""


def test_only_datasets_with_labels_are_offered(trainer):
    labelled = LabelledVersionFactory()
    words = DatasetVersionFactory(n_examples=4)
    words.examples.update(answer="yes")
    talk = DatasetVersionFactory(n_examples=25)
    bare = LabelledVersionFactory(examples=[("a text", "")])

    form = trainer.get("/evaluations/new/").context["form"]

    offered = set(form.fields["version"].queryset)
    assert offered == {labelled, words}
    assert not offered & {talk, bare}
