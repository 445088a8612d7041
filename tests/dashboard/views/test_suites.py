"""The pages of suites, their runs and votes."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from dashboard.models import Correction, Judge, SuiteRun, SuiteVersion, SuiteVote
from dashboard.services.access import Role
from dashboard.services.suites.content import Content
from tests.factories import (
    CorrectionFactory,
    LabelledVersionFactory,
    SuiteRunFactory,
    suite_version,
)

pytestmark = pytest.mark.django_db


def page(client, address: str, **kwargs: object) -> str:
    response = client.get(address, **kwargs)
    assert response.status_code == 200, response.content.decode()[:2000]
    return response.content.decode()


@pytest.fixture
def runs():
    version = suite_version(n_cases=4, tags=["hours"])
    first = SuiteRunFactory(version=version, model="small", rights=(True, True, False, False))
    second = SuiteRunFactory(version=version, model="large", rights=(True, False, True, None))
    return first, second


def test_empty_lists_tell_the_next_step(trainer):
    assert "There is no suite yet" in page(trainer, "/suites/")
    assert "No model has been tried" in page(trainer, "/runs/")
    assert "There is nothing to ask yet" in page(trainer, "/runs/new/")


def test_lists_show_what_there_is(trainer, runs):
    assert runs[0].version.suite.name in page(trainer, "/suites/")
    shown = page(trainer, "/runs/")
    assert "50.0\N{NO-BREAK SPACE}%" in shown
    assert "large" in shown


def test_a_version_shows_its_cases_and_how_they_are_judged(trainer, runs):
    shown = page(trainer, f"/suites/versions/{runs[0].version_id}/")
    assert "Question 0?" in shown
    assert "75\N{NO-BREAK SPACE}% alike" in shown
    assert f"/runs/{runs[0].pk}/" in shown


def test_cases_come_in_pages(trainer):
    version = suite_version(n_cases=30)
    shown = page(trainer, f"/suites/versions/{version.pk}/cases/")
    assert "Question 24?" in shown
    assert "Question 25?" not in shown
    assert "Question 25?" in page(trainer, f"/suites/versions/{version.pk}/cases/?after=24")
    assert trainer.get(f"/suites/versions/{version.pk}/cases/?after=x").status_code == 400


def test_a_file_becomes_a_suite(trainer):
    line = json.dumps({"question": "Open?", "expected": "At 9."})
    file = SimpleUploadedFile("cases.jsonl", line.encode())
    response = trainer.post("/suites/new/", {"way": "file", "name": "Rules", "file": file})

    version = SuiteVersion.objects.get()
    assert response["Location"] == f"/suites/versions/{version.pk}/"
    bad = SimpleUploadedFile("cases.jsonl", b'{"question": ""}')
    refused = trainer.post("/suites/new/", {"way": "file", "name": "Rules", "file": bad})
    assert refused.status_code == 422
    assert "the question is empty" in refused.content.decode()


def test_a_held_out_part_becomes_a_suite(trainer):
    source = LabelledVersionFactory(split={"seed": 1, "shares": {"test": 1}})
    source.examples.update(part="test")
    trainer.post("/suites/new/", {"way": "split", "source": source.pk, "part": "test"})

    assert SuiteVersion.objects.get().source == source


def test_a_run_is_started_on_what_is_in_force(trainer, endpoint):
    CorrectionFactory(approved=True)
    assert "Corrections in force everywhere" in page(trainer, "/runs/new/")

    response = trainer.post(
        "/runs/new/",
        {"suite": "corrections", "model": "small", "with_recall": "on", "temperature": "0"},
    )

    run = SuiteRun.objects.get()
    assert response["Location"] == f"/runs/{run.pk}/"
    assert (run.with_recall, run.temperature, run.version.n_cases) == (True, 0, 1)


def test_a_run_that_cannot_be_is_refused_in_words(trainer, endpoint):
    version = suite_version()
    response = trainer.post(
        "/runs/new/", {"suite": f"version:{version.pk}", "model": "small", "budget_usd": "1"}
    )
    assert response.status_code == 422
    assert "needs the price" in response.content.decode()


def test_the_form_asks_the_endpoint_and_tells_a_price(trainer, endpoint):
    version = suite_version()
    assert "tiny-chat" in page(trainer, "/runs/new/models/?endpoint=")
    shown = page(trainer, f"/runs/new/price/?suite=version:{version.pk}&model=small")
    assert "no price known" in shown
    assert page(trainer, "/runs/new/price/?suite=nonsense").strip() == ""
    assert trainer.get("/runs/new/models/?endpoint=nowhere").status_code == 404


def test_a_finished_run_shows_scores_and_asks_for_nothing_more(trainer, runs):
    shown = page(trainer, f"/runs/{runs[0].pk}/")

    assert "50.0\N{NO-BREAK SPACE}%" in shown
    assert "95 % confidence" in shown
    assert "hours" in shown
    assert "no votes" in shown
    assert f"/runs/{runs[0].pk}/progress/" not in shown
    assert "Something else." in shown
    assert "Answer number 0." in page(trainer, f"/runs/{runs[0].pk}/answers/?show=right")


def test_a_waiting_run_is_followed_and_cancelled(trainer):
    run = SuiteRunFactory()
    shown = page(trainer, f"/runs/{run.pk}/")
    assert f'data-topics="suiterun.{run.pk} tasks"' in shown

    assert trainer.post(f"/runs/{run.pk}/cancel/").status_code == 302
    assert "cancelled" in page(trainer, f"/runs/{run.pk}/progress/")


def test_a_run_with_rubrics_and_no_judge_says_so(trainer):
    version = suite_version(Content(question="Hi?", expected="Hi.", judge="model"))
    shown = page(trainer, f"/runs/{SuiteRunFactory(version=version).pk}/")
    assert "no judge model" in shown


def test_two_runs_are_compared_side_by_side(trainer, runs):
    first, second = runs
    shown = page(trainer, f"/runs/compare/?a={first.pk}&b={second.pk}")

    assert 'id="wins">1<' in shown
    assert 'id="losses">1<' in shown
    assert "Question 1?" in shown
    assert "Question 0?" not in shown
    assert "Question 0?" in page(trainer, f"/runs/compare/?a={first.pk}&b={second.pk}&show=all")
    assert "Question 1?" in page(trainer, f"/runs/compare/?a={first.pk}&b={second.pk}&show=wins")


@pytest.mark.parametrize("query", ["", "a=1", "a=x&b=y", "a=99999&b=99998"])
def test_runs_that_are_none_are_not_compared(trainer, query):
    assert trainer.get(f"/runs/compare/?{query}").status_code == 404


def test_a_vote_is_blind_until_it_is_cast(trainer, runs):
    first, second = runs
    address = f"/runs/vote/?a={first.pk}&b={second.pk}"
    shown = page(trainer, address)
    assert "2 pairs to go" in shown or "3 pairs to go" in shown
    assert "large" not in shown

    one, other = (run.answers.get(position=1).pk for run in runs)
    response = trainer.post(
        f"/runs/vote/cast/?a={first.pk}&b={second.pk}",
        {"one": one, "other": other, "choice": "a"},
        headers={"HX-Request": "true"},
    )

    assert "large" in response.content.decode()
    assert SuiteVote.objects.count() == 1
    again = trainer.post(
        f"/runs/vote/cast/?a={first.pk}&b={second.pk}",
        {"one": one, "other": other, "choice": "b"},
    )
    assert again.status_code == 409


def test_a_page_whose_pair_was_voted_on_in_another_tab_goes_on_with_the_next(trainer, runs):
    first, second = runs
    one, other = (run.answers.get(position=1).pk for run in runs)
    vote = {"one": one, "other": other, "choice": "a"}
    address = f"/runs/vote/cast/?a={first.pk}&b={second.pk}"
    trainer.post(address, vote)

    late = trainer.post(address, vote, headers={"HX-Request": "true"})

    assert late.status_code == 200
    assert "There is a vote of yours on this pair already" in late["HX-Trigger"]
    assert f'value="{one}"' not in late.content.decode()
    assert SuiteVote.objects.count() == 1


def test_how_a_correction_is_judged_is_changed_in_a_dialog(trainer):
    correction = CorrectionFactory(approved=True)
    address = f"/corrections/{correction.pk}/judge/"
    assert "How #" in page(trainer, address)

    trainer.post(address, {"judge": "contains", "phrases": "9\n\nMonday"})
    correction.refresh_from_db()
    assert correction.judge == Judge.CONTAINS
    assert correction.judge_args["phrases"] == ["9", "Monday"]

    refused = trainer.post(address, {"judge": "label", "labels": "one"})
    assert refused.status_code == 422
    assert Correction.objects.get().judge == Judge.CONTAINS


def test_members_see_none_of_it(reader, runs):
    member = reader(Role.MEMBER)
    for address in ("/suites/", "/runs/", f"/runs/{runs[0].pk}/", "/runs/compare/?a=1&b=2"):
        assert member.get(address).status_code == 403
