"""Datasets in the browser: listed, uploaded, looked into, deleted."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from dashboard.models import AuditEvent, Dataset, DatasetVersion
from tests.factories import DatasetFactory, DatasetVersionFactory

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


def line(question: str, answer: str) -> str:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages})


def file_of(*lines: str, name: str = "opening hours.jsonl") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "\n".join(lines).encode())


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


def test_a_good_file_becomes_a_dataset_and_its_page_opens(trainer):
    file = file_of(line("When?", "At nine."), line("Where?", "Here."))

    response = trainer.post("/datasets/upload/", {"name": "hours", "file": file}, follow=True)

    version = DatasetVersion.objects.get()
    assert response.redirect_chain == [(f"/datasets/{version.dataset_id}/", 302)]
    assert "hours v1: 2 examples are ready" in response.content.decode()
    assert version.source_filename == "opening hours.jsonl"
    assert version.created_by is not None


def test_a_script_is_told_where_the_new_dataset_is(trainer):
    file = file_of(line("When?", "At nine."))

    response = trainer.post("/datasets/upload/", {"name": "hours", "file": file}, headers=JSON)

    assert response.json() == {"location": f"/datasets/{Dataset.objects.get().pk}/"}


def test_a_file_that_is_wrong_on_line_two_is_refused_whole(trainer):
    file = file_of(line("When?", "At nine."), '{"messages": [}', name="broken.jsonl")

    response = trainer.post("/datasets/upload/", {"name": "hours", "file": file}, headers=JSON)

    answer = response.json()
    assert response.status_code == 422
    assert "broken.jsonl" in answer["problem"]
    assert "Line 2" in answer["problem"]
    assert [problem["line"] for problem in answer["problems"]] == [2]
    assert not Dataset.objects.exists()


def test_without_scripts_the_form_comes_back_with_the_problems(trainer):
    file = file_of(line("When?", "At nine."), "no json", name="broken.jsonl")

    response = trainer.post("/datasets/upload/", {"name": "hours", "file": file})

    assert response.status_code == 422
    assert "Line 2" in response.content.decode()
    assert 'value="hours"' in response.content.decode()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x01", b"   \n\n"], ids=["not-utf-8", "blank"])
def test_a_file_without_readable_lines_is_refused(trainer, content):
    file = SimpleUploadedFile("x.jsonl", content)

    response = trainer.post("/datasets/upload/", {"name": "hours", "file": file}, headers=JSON)

    assert response.status_code == 422
    assert response.json()["problem"]
    assert not Dataset.objects.exists()


def test_an_empty_file_is_refused(trainer):
    file = SimpleUploadedFile("x.jsonl", b"")

    response = trainer.post("/datasets/upload/", {"name": "hours", "file": file}, headers=JSON)

    assert response.status_code == 422
    assert "empty" in response.json()["problem"]


def test_a_file_over_the_limit_is_refused(trainer, settings):
    settings.MAX_UPLOAD_BYTES = 10

    response = trainer.post(
        "/datasets/upload/", {"name": "hours", "file": file_of(line("a", "b"))}, headers=JSON
    )

    assert response.status_code == 422
    assert not Dataset.objects.exists()


def test_an_upload_without_a_file_says_so(trainer):
    response = trainer.post("/datasets/upload/", {"name": "hours"}, headers=JSON)

    assert response.status_code == 422
    assert response.json()["problem"] == "This field is required."


def test_the_detail_shows_examples_by_line_and_the_rest_on_the_next_page(trainer):
    version = DatasetVersionFactory(n_examples=25)
    path = f"/datasets/{version.dataset_id}/"

    first = trainer.get(path).content.decode()
    second = trainer.get(f"{path}examples/?version=1&after=19").content.decode()

    assert "Where is room 19?" in first
    assert "Where is room 20?" not in first
    assert "Where is room 24?" in second
    assert "<html" not in second


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
