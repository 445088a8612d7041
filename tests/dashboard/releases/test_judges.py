"""Rubrics in the gate need somebody who judges them, and what that costs is told."""

from decimal import Decimal

import pytest

from dashboard.models import Alias, Judge, Release, SuiteRun, SuiteVersion
from dashboard.services import assistant, places, prices, releases
from dashboard.services.releases import gate
from dashboard.services.suites.content import Content
from tests.factories import (
    AliasFactory,
    ReleaseFactory,
    SuiteFactory,
    SuiteRunFactory,
    UserFactory,
    suite_version,
)
from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.django_db


@pytest.fixture
def alias() -> Alias:
    return AliasFactory(name="support", answered_by="small")


@pytest.fixture
def release(alias: Alias) -> Release:
    return ReleaseFactory(alias=alias, model="large")


@pytest.fixture
def version(alias: Alias) -> SuiteVersion:
    suite = SuiteFactory(name="Manners")
    content = Content(
        question="Hello?", expected="", judge=Judge.MODEL.value, judge_args={"rubric": "Polite."}
    )
    made = suite_version(content, suite=suite)
    releases.guard(alias, suites=[suite], margin=2, actor=None)
    return made


def judged_by_settings(model: str) -> None:
    changed = assistant.current()
    changed.judge_model = model
    assistant.save(changed=changed, actor=None)


def test_without_anybody_who_judges_the_gate_says_what_to_do(release, version):
    assert gate.objections(release) == [
        "Manners v1 has rubrics, and nobody judges them: name a judge model for the gate, or in "
        "Settings."
    ]


def test_the_tests_of_a_gate_name_the_judge_of_the_alias_else_of_the_settings(release, version):
    judged_by_settings("judge-a")
    by_settings = releases.test(release, actor=None)
    releases.guard(
        release.alias, suites=[version.suite], margin=2, judge_model="judge-b", actor=None
    )
    release.refresh_from_db()
    by_alias = releases.test(Release.objects.get(pk=release.pk), actor=None)

    assert {run.judge_model for run in by_settings} == {"judge-a"}
    assert {run.judge_model for run in by_alias} == {"judge-b"}


def test_a_run_that_nobody_judged_or_another_one_judged_does_not_count(release, version):
    judged_by_settings("judge-a")
    for model in ("small", "large"):
        SuiteRunFactory(version=version, model=model, rights=[True], with_recall=True)
        SuiteRunFactory(
            version=version, model=model, rights=[True], with_recall=True, judge_model="judge-b"
        )
    assert gate.objections(release) == ["It was not tested on Manners v1 yet."]

    for model in ("small", "large"):
        SuiteRunFactory(
            version=version, model=model, rights=[True], with_recall=True, judge_model="judge-a"
        )
    assert gate.objections(release) == []


def test_what_the_judge_costs_is_part_of_the_estimate(release, version):
    judged_by_settings("judge-a")
    for model in ("small", "large", "judge-a"):
        prices.save(
            model=model, prompt_usd=Decimal(1), completion_usd=Decimal(2), actor=UserFactory()
        )
    places.forget()
    releases.test(release, actor=None)

    run = SuiteRun.objects.filter(model="large").get()
    assert run.estimated_usd is not None
    assert run.estimated_usd > Decimal("0.0004")


@pytest.mark.parametrize("judge", ["@support", "x" * 201, "a\nb"])
def test_what_cannot_judge_is_refused_in_words(alias, judge):
    with pytest.raises(InvalidInput):
        releases.guard(alias, suites=[], margin=2, judge_model=judge, actor=None)
    with pytest.raises(InvalidInput):
        judged_by_settings(judge)
