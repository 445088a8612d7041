"""`classify`: a dataset, or records, tested from a terminal."""

import json

import pytest

from dashboard.models import Evaluation
from tests.dashboard.commands.running import refusal, rows, run
from tests.dashboard.evaluations.answering import by_the_word, classifying
from tests.factories import LabelledVersionFactory
from tests.fakes.openai_endpoint import Reply, error_body

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shops(endpoint):
    endpoint.answer = classifying(by_the_word)
    return LabelledVersionFactory(dataset__name="shops")


def test_a_dataset_is_tested_without_a_running_system(shops):
    (found,) = rows("classify", "shops", "--model", "small", "--wait")

    assert (found["status"], found["dataset"], found["model"]) == ("succeeded", "shops", "small")
    assert found["scores"]["accuracy"] == 1
    assert found["mismatches"] == []


def test_mismatches_are_told_by_name(shops, endpoint):
    endpoint.answer = classifying(lambda text: "negative")

    (found,) = rows("classify", "shops", "--model", "small")
    said = run("classify", "shops", "--model", "small")

    assert [each["name"] for each in found["mismatches"]] == ["page 0", "page 2"]
    assert found["mismatches"][0] == {
        "name": "page 0",
        "line": 1,
        "text": "Add to basket. Free delivery from 50 euros.",
        "expected": "positive",
        "predicted": "negative",
        "answer": '{"label": "negative"}',
    }
    assert "page 0: positive, taken for negative" in said
    assert "Accuracy 50.0% of 4" in said


def test_a_limit_a_part_and_labels_are_passed_on(shops):
    shops.examples.update(part="test")
    options = ("--part", "test", "--limit", "2", "--label", "negative", "--label", "positive")

    (found,) = rows("classify", "shops", "--model", "small", *options)

    assert (found["n_records"], found["part"]) == (2, "test")


def test_records_are_tested_as_the_original_did(shops):
    given = '{"text": "A basket", "label": "positive", "name": "a.txt"}'

    (found,) = rows("classify", "--json-records", given, "--model", "small")
    said = run("classify", "--json-records", given, "--model", "small")

    assert found["records"][0]["predicted"] == "positive"
    assert found["records"][0]["right"]
    assert found["scores"]["accuracy"] == 1
    assert "a.txt: positive" in said
    assert not Evaluation.objects.exists()


def test_a_file_of_records_is_tested(shops, tmp_path):
    path = tmp_path / "records.json"
    path.write_text(json.dumps([{"text": "News"}, {"text": "Pay"}]), encoding="utf-8-sig")

    (found,) = rows("classify", "--file", path, "--model", "small")

    assert [each["predicted"] for each in found["records"]] == ["negative", "positive"]
    assert found["scores"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Give one dataset, or records"),
        (("shops", "--json-records", "{}"), "Give one dataset, or records"),
        (("no such",), "no dataset 'no such'"),
        (("shops", "--version", "7"), "no such version"),
        (("shops", "--limit", "0"), "1 or more"),
        (("--json-records", "{'a'"), "no JSON"),
        (("--file", "/nowhere/x.json"), "There is no file"),
    ],
)
def test_what_cannot_be_tested_is_refused_in_words(shops, arguments, said):
    assert said in refusal("classify", *arguments)


def test_a_file_that_is_no_text_is_refused_in_words(shops, tmp_path):
    path = tmp_path / "records.json"
    path.write_bytes(b"\xff\xfe\x00")

    assert "not text in UTF-8" in refusal("classify", "--file", path)


def test_a_test_that_failed_says_why_and_exits_with_1(shops, endpoint):
    endpoint.answer = lambda body: Reply(status=404, error=error_body("no"))

    assert "does not know model absent" in refusal("classify", "shops", "--model", "absent")
