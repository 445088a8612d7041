"""Suites of files and of held-out parts."""

import json

import pytest

from dashboard.models import Judge, Suite
from dashboard.services import suites
from tests.factories import CorrectionFactory, DatasetVersionFactory, LabelledVersionFactory
from trainerbot.errors import Conflict, InvalidInput, NotFound

pytestmark = pytest.mark.django_db


def upload(*lines: object, name: str = "House rules", filename: str = "cases.jsonl"):
    text = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines)
    return suites.upload(name=name, data=text.encode(), filename=filename, actor=None)


def test_cases_come_as_json_lines():
    version = upload(
        {"question": "Open?", "expected": "At 9.", "tags": ["hours"]},
        {"question": "Free?", "phrases": ["5 euros"], "without": ["free"]},
        {"question": "Mood?", "expected": "good", "labels": ["good", "bad"]},
        {"question": "Kind?", "rubric": "It is kind."},
        {
            "question": "And then?",
            "expected": "Then we close.",
            "history": [{"role": "user", "content": "Open?"}],
            "judge": "verbatim",
        },
    )

    judges = list(version.cases.order_by("position").values_list("judge", flat=True))
    assert judges == ["similar", "contains", "label", "model", "verbatim"]
    first = version.cases.get(position=0)
    assert (first.tags, first.judge_args) == (["hours"], {"least": 0.75})
    assert version.cases.get(position=4).history == [{"role": "user", "content": "Open?"}]


def test_cases_come_as_a_table():
    version = upload(
        "Question,Expected,Tags,Least",
        '"Open, today?","At 9.",hours|today,0.9',
        "Closed?,At 18.,,",
        filename="cases.csv",
    )

    first, second = version.cases.order_by("position")
    assert (first.question, first.tags) == ("Open, today?", ["hours", "today"])
    assert (first.judge_args, second.judge_args) == ({"least": 0.9}, {"least": 0.75})


def test_conversations_of_a_dataset_are_cases_too():
    told = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "Open?"},
            {"role": "assistant", "content": "At 9."},
        ]
    }
    case = upload(told).cases.get()

    assert (case.system, case.question, case.expected) == ("Be brief.", "Open?", "At 9.")
    assert [turn["content"] for turn in case.history] == ["Hi", "Hello"]


def test_the_same_file_again_makes_no_new_version_and_another_does():
    first = upload({"question": "Open?", "expected": "At 9."})
    assert upload({"question": "Open?", "expected": "At 9."}) == first

    second = upload({"question": "Open?", "expected": "At 10."}, name="house rules ")
    assert (second.suite, second.number) == (first.suite, 2)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (["{", "}"], "no file of cases"),
        ([""], "file is empty"),
        ([{"question": "", "expected": "x"}], "Line 1: the question is empty"),
        ([{"question": "x", "expected": "y"}, {"question": "x"}], "Line 2"),
        ([{"question": "x", "expected": "y"}, "nonsense"], "Line 2 is no JSON object"),
        ([{"question": "x", "answer": "y"}], "no 'answer'"),
        ([{"question": ["x"], "expected": "y"}], "question is a text"),
        ([{"question": "x", "expected": "y", "tags": "z"}], "tags are a list"),
        ([{"question": "x", "expected": "y", "history": ["z"]}], "history is a list"),
        ([{"question": "x", "expected": "y", "judge": "me"}], "no judge"),
        (["question,least", "x,high"], "least is a number"),
    ],
)
def test_what_is_no_case_is_refused_with_its_line(lines, complaint):
    with pytest.raises(InvalidInput, match=complaint):
        upload(*lines)
    assert not Suite.objects.exists()


@pytest.mark.parametrize("name", ["", "x" * 121, "a\nb\0", "Corrections of mine"])
def test_a_suite_needs_a_name_of_its_own(name):
    with pytest.raises(InvalidInput):
        upload({"question": "x", "expected": "y"}, name=name)


def test_a_held_out_part_is_a_suite():
    source = LabelledVersionFactory()
    source.examples.filter(position__gte=2).update(part="test")
    version = suites.from_split(source=source, part="test", actor=None)

    assert (version.n_cases, version.source, version.part) == (2, source, "test")
    case = version.cases.order_by("position").first()
    assert (case.judge, case.judge_args) == (Judge.LABEL, {"labels": ["negative", "positive"]})
    assert case.example_id
    with pytest.raises(InvalidInput, match="Split the dataset first"):
        suites.from_split(source=source, part="validation", actor=None)


def test_a_name_belongs_to_one_kind_of_suite():
    source = LabelledVersionFactory()
    source.examples.update(part="test")
    suites.from_split(source=source, part="test", name="House rules", actor=None)

    with pytest.raises(Conflict, match="another kind"):
        upload({"question": "x", "expected": "y"})


def test_a_draft_makes_no_suite():
    draft = DatasetVersionFactory(draft=True)
    with pytest.raises(InvalidInput, match="draft"):
        suites.from_split(source=draft, part="test", actor=None)


def test_people_name_suites():
    version = upload({"question": "Open?", "expected": "At 9."})
    CorrectionFactory(approved=True)

    assert suites.resolve("house rules") == version
    assert suites.resolve("House rules", number=1) == version
    assert suites.resolve("corrections").suite.kind == Suite.Kind.CORRECTIONS
    for name in ("nothing", "corrections:77"):
        with pytest.raises(NotFound):
            suites.resolve(name)
    with pytest.raises(NotFound, match="no version 7"):
        suites.resolve("House rules", number=7)


@pytest.mark.parametrize(
    "data", [b"a,b\rc,d\re,f", b'{"tags": ["' + b"x" * 140_000, b'"' + b"y" * 140_000]
)
def test_what_is_no_table_is_refused_in_words(data):
    with pytest.raises(InvalidInput):
        suites.upload(name="Odd", data=data, filename="odd.csv", actor=None)

    assert not Suite.objects.exists()


@pytest.mark.parametrize("odd", [{"tags": ["\ud800"]}, {"tags": ["a\0"]}, {"rubric": "\ud800"}])
def test_letters_that_are_none_are_refused_in_tags_and_rubrics_too(odd):
    with pytest.raises(InvalidInput):
        upload({"question": "Open?", "expected": "At 9."} | odd)

    assert not Suite.objects.exists()
