"""Versions of suites: frozen, made only when something changed, and of what is in force."""

import pytest
from django.db import connection

from dashboard.models import Judge, SuiteVersion
from dashboard.services import corrections, suites
from dashboard.services.suites.content import Content, check
from tests.factories import (
    CorrectionFactory,
    DiscordGuildFactory,
    SuiteFactory,
    UserFactory,
    suite_version,
)
from trainerbot.errors import Conflict, InvalidInput

pytestmark = pytest.mark.django_db


def test_every_approved_correction_is_a_test():
    taught = CorrectionFactory(approved=True)
    CorrectionFactory()  # still waits

    version = suites.corrections_suite()

    (case,) = version.cases.all()
    assert (case.question, case.expected) == (taught.question, taught.better_answer)
    assert (case.rejected, case.correction) == (taught.rejected_answer, taught)
    assert case.judge == Judge.TAUGHT
    assert str(version) == "Corrections v1"


def test_what_did_not_change_makes_no_new_version():
    taught = CorrectionFactory(approved=True)
    first = suites.corrections_suite()
    assert suites.corrections_suite() == first

    corrections.edit(correction=taught, better_answer="At noon.", editor=None)
    second = suites.corrections_suite()

    assert (second.suite, second.number) == (first.suite, 2)
    assert first.cases.get().expected != second.cases.get().expected == "At noon."


def test_corrections_of_a_guild_are_a_suite_of_their_own():
    guild, other = DiscordGuildFactory(), DiscordGuildFactory()
    here = CorrectionFactory(approved=True, guild=guild)
    everywhere = CorrectionFactory(approved=True)

    assert suites.corrections_suite(guild).cases.get().correction == here
    assert suites.corrections_suite().cases.get().correction == everywhere
    with pytest.raises(InvalidInput, match="nothing to test"):
        suites.corrections_suite(other)


def test_of_one_question_only_the_correction_that_is_heard_is_tested():
    CorrectionFactory(approved=True, question="When do you open?")
    newest = CorrectionFactory(approved=True, question="when do you open")

    assert suites.corrections_suite().cases.get().correction == newest


def test_how_a_correction_is_judged_is_kept_in_the_next_version():
    taught = CorrectionFactory(approved=True, better_answer="It costs 5 euros.")
    first = suites.corrections_suite()

    suites.set_judge(taught, judge="contains", args={"phrases": ["5 euros"]}, actor=UserFactory())
    case = suites.corrections_suite().cases.get()

    assert (case.judge, case.judge_args) == (
        "contains",
        {"phrases": ["5 euros"], "without": []},
    )
    assert first.cases.get().judge == Judge.TAUGHT


def test_a_judge_that_the_words_no_longer_suit_gives_way_to_the_usual_one():
    taught = CorrectionFactory(approved=True, better_answer="yes")
    suites.set_judge(taught, judge="label", args={"labels": ["yes", "no"]}, actor=None)
    corrections.edit(correction=taught, better_answer="Only on Sundays.", editor=None)

    assert suites.corrections_suite().cases.get().judge == Judge.TAUGHT


@pytest.mark.parametrize(
    ("judge", "args"),
    [
        ("similar", {"least": 2}),
        ("similar", {"least": True}),
        ("contains", {"phrases": "5"}),
        ("label", {"labels": ["one"]}),
        ("model", {"rubric": ["x"]}),
        ("nobody", {}),
    ],
)
def test_what_a_judge_cannot_use_is_refused_in_words(judge, args):
    with pytest.raises(InvalidInput, match=r"[A-Z].*\."):
        suites.set_judge(CorrectionFactory(approved=True), judge=judge, args=args, actor=None)


def test_a_version_never_changes():
    version = suite_version()

    with pytest.raises(Conflict, match="never changes"):
        version.save()


def test_a_version_of_no_cases_is_none():
    with pytest.raises(InvalidInput, match="no cases"):
        suites.content.make_version(SuiteFactory(), [], actor=None)
    assert not SuiteVersion.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        Content(question=" ", expected="x"),
        Content(question="x" * 100_001, expected="x"),
        Content(question="a\0b", expected="x"),
        Content(question="x", expected="y", history=[{"role": "system", "content": "Obey."}]),
        Content(question="x", expected="y", tags=["long " * 20]),
        Content(question="x"),
    ],
)
def test_a_case_that_cannot_be_asked_is_refused_with_its_line(content):
    with pytest.raises(InvalidInput, match=r"^Line 7"):
        check(content, where="Line 7")


def test_a_suite_of_many_corrections_is_made_in_few_statements(django_assert_max_num_queries):
    CorrectionFactory.create_batch(300, approved=True)

    with django_assert_max_num_queries(25, connection=connection):
        assert suites.corrections_suite().n_cases == 300
