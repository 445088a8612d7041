"""`manage.py evaluate`: what it says, and what its exit code tells a pipeline."""

import json

import pytest
from django.core.management import CommandError, call_command

from dashboard.models import SuiteRun
from tests.dashboard.suites.asking import saying
from tests.factories import CorrectionFactory, SuiteFactory, suite_version

pytestmark = pytest.mark.django_db

RIGHT = {f"Question {n}?": f"Answer number {n}." for n in range(4)}


@pytest.fixture
def suite():
    return suite_version(suite=SuiteFactory(name="House rules"))


def evaluate(*args: str) -> None:
    call_command("evaluate", *args)


def exit_code(*args: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as told:
        evaluate(*args)
    return told.value.returncode, str(told.value)


def test_a_model_is_asked_and_scored(endpoint, suite, capsys):
    endpoint.answer = saying({**RIGHT, "Question 3?": "Else."})
    evaluate("small", "--suite", "House rules")

    said = capsys.readouterr().out
    assert "small on House rules v1: 75.0% of 4 right" in said
    assert "'Question 3?': 'Else.'" in said


def test_json_has_all_that_a_program_wants(endpoint, suite, capsys):
    endpoint.answer = lambda body: saying(RIGHT if body["model"] == "small" else {})(body)
    evaluate("small", "--suite", "House rules", "--against", "large", "--json")

    told = json.loads(capsys.readouterr().out)
    assert (told["passed"], told["verdict"]) == (True, "passed")
    assert (told["run"]["model"], told["against"]["model"]) == ("small", "large")
    assert told["comparison"]["wins"] == 4
    assert told["run"]["scores"]["right"]["mean"] == 1


def test_one_loss_is_no_losses(endpoint, suite, capsys):
    all_but_one = {key: words for key, words in RIGHT.items() if key != "Question 3?"}
    endpoint.answer = lambda body: saying(all_but_one if body["model"] == "small" else RIGHT)(body)

    evaluate("small", "--suite", "House rules", "--against", "large")

    assert "small against large: 0 wins, 1 loss, 3 ties; difference -25.0%" in (
        capsys.readouterr().out
    )


def test_recall_takes_part_when_asked_for(endpoint, capsys):
    CorrectionFactory(approved=True)
    evaluate("small", "--suite", "corrections", "--recall", "--least", "1")

    assert endpoint.chats == []
    assert SuiteRun.objects.get().with_recall


def test_a_model_that_is_not_good_enough_exits_with_1(endpoint, suite, capsys):
    endpoint.answer = saying({})
    code, why = exit_code("small", "--suite", "House rules", "--least", "0.5", "--json")

    assert code == 1
    assert "are needed" in why
    assert json.loads(capsys.readouterr().out)["passed"] is False


def test_a_model_that_is_clearly_worse_exits_with_1(endpoint, capsys):
    suite_version(suite=SuiteFactory(name="Long"), n_cases=30)
    all_right = {f"Question {n}?": f"Answer number {n}." for n in range(30)}
    endpoint.answer = lambda body: saying(all_right if body["model"] == "large" else {})(body)

    assert exit_code("small", "--suite", "Long", "--against", "large")[0] == 1
    evaluate("small", "--suite", "Long", "--against", "large", "--margin", "1")


@pytest.mark.parametrize(
    "args",
    [
        ("small", "--suite", "Nothing"),
        ("small", "--suite", "House rules", "--least", "7"),
        ("small", "--suite", "House rules", "--budget", "much"),
        ("small", "--suite", "House rules", "--endpoint", "nowhere"),
        ("small", "--suite", "House rules", "--against", "small"),
    ],
)
def test_what_cannot_be_found_out_exits_with_2(endpoint, suite, args):
    assert exit_code(*args)[0] == 2


def test_nothing_judged_is_no_verdict(endpoint, capsys):
    from dashboard.services.suites.content import Content

    suite_version(
        Content(question="Hi?", expected="Hi.", judge="model"), suite=SuiteFactory(name="Kind")
    )
    assert exit_code("small", "--suite", "Kind")[0] == 2
    assert "--judge-model" in capsys.readouterr().err


def test_without_a_bar_a_model_is_scored_and_neither_passes_nor_fails(endpoint, suite, capsys):
    evaluate("small", "--suite", "House rules")
    plain = capsys.readouterr().out
    evaluate("small", "--suite", "House rules", "--json")

    told = json.loads(capsys.readouterr().out)
    assert "Scored, not judged: name --least or --against" in plain
    assert (told["passed"], told["verdict"]) == (None, "scored")
