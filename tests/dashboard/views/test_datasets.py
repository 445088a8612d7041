"""Datasets in the browser: listed, looked into, deleted."""

import re

import pytest

from dashboard.models import AuditEvent
from tests.factories import DatasetFactory, DatasetVersionFactory

pytestmark = pytest.mark.django_db


def test_the_empty_list_tells_the_next_step(trainer):
    page = trainer.get("/datasets/").content.decode()

    assert "No datasets yet" in page
    assert 'href="/datasets/upload/"' in page


def test_the_list_shows_the_newest_version_of_each(trainer):
    dataset = DatasetFactory(name="support answers")
    DatasetVersionFactory(dataset=dataset, number=1, n_examples=3)
    DatasetVersionFactory(dataset=dataset, number=2, n_examples=7)

    page = trainer.get("/datasets/").content.decode()

    assert "support answers" in page
    # Whole words: the token of a form may hold any two letters.
    assert re.findall(r"\bv[12]\b", page) == ["v2"]


def test_the_list_goes_on_on_the_next_page(trainer):
    for number in range(30):
        DatasetVersionFactory(dataset__name=f"set {number:02}", n_examples=1)

    first = trainer.get("/datasets/")
    second = trainer.get(f"/datasets/?after={first.context['page'].after}")

    assert "set 29" in first.content.decode()
    assert "set 04" not in first.content.decode()
    assert "set 04" in second.content.decode()


def test_a_damaged_page_address_is_refused_in_words(trainer):
    response = trainer.get("/datasets/?after=x")

    assert response.status_code == 400
    assert "page address is damaged" in response.content.decode()


def test_the_list_tells_drafts_kinds_and_tokens(trainer):
    DatasetVersionFactory(draft=True, kind="labelled", summary={"tokens": {"total": 1_234_567}})

    page = trainer.get("/datasets/").content.decode()

    assert "draft" in page
    assert "labelled texts" in page
    assert "1.23 M" in page


def test_the_page_of_a_version_shows_a_few_examples_and_leads_to_all(trainer):
    version = DatasetVersionFactory(n_examples=25)

    page = trainer.get(f"/datasets/{version.dataset_id}/").content.decode()

    assert "Where is room 4?" in page
    assert "Where is room 5?" not in page
    assert f'href="/datasets/{version.dataset_id}/versions/1/examples/"' in page


def test_the_detail_tells_warnings_by_line(trainer):
    problem = {"line": 31, "code": "c", "message": "Same question as line 12.", "column": None}
    version = DatasetVersionFactory(n_warnings=1, problems=[problem | {"severity": "warning"}])

    page = trainer.get(f"/datasets/{version.dataset_id}/").content.decode()

    assert "Same question as line 12." in page
    assert ">31<" in page


def test_words_of_a_file_are_shown_as_words(trainer):
    version = DatasetVersionFactory(dataset__name="<script>alert(1)</script>", n_examples=1)
    example = version.examples.get()
    version.examples.update(question="<img src=x onerror=alert(1)>", record=example.record)

    page = trainer.get(f"/datasets/{version.dataset_id}/").content.decode()

    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_an_older_version_can_be_looked_into(trainer):
    dataset = DatasetFactory()
    DatasetVersionFactory(dataset=dataset, number=1, n_examples=1)
    DatasetVersionFactory(dataset=dataset, number=2, n_examples=4)

    response = trainer.get(f"/datasets/{dataset.pk}/?version=1")

    assert response.context["version"].number == 1


@pytest.mark.parametrize("number", ["9", "x"])
def test_a_version_that_does_not_exist_is_not_found(trainer, number):
    dataset = DatasetVersionFactory().dataset

    assert trainer.get(f"/datasets/{dataset.pk}/?version={number}").status_code == 404


def test_a_deleted_dataset_leaves_the_lists_and_its_page(trainer):
    dataset = DatasetVersionFactory(dataset__name="old answers").dataset

    response = trainer.post(f"/datasets/{dataset.pk}/delete/", follow=True)

    assert "old answers was deleted" in response.content.decode()
    assert trainer.get(f"/datasets/{dataset.pk}/").status_code == 404
    assert AuditEvent.objects.filter(action="dataset.delete").count() == 1
