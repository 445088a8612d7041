"""Somebody's corrections are erased from suites that never change, too."""

import pytest

from dashboard.models import SuiteAnswer, SuiteCase
from dashboard.services import privacy, suites
from dashboard.services.suites import work as suite_work
from tests.dashboard.suites.asking import work
from tests.factories import CorrectionFactory, DiscordUserFactory, SuiteRunFactory

pytestmark = pytest.mark.django_db


def test_no_word_of_an_erased_correction_stays(endpoint):
    person = DiscordUserFactory()
    CorrectionFactory(approved=True, discord_author=person, better_answer="At the blue door.")
    version = suites.corrections_suite()
    work(suites.submit(version=version, model="small", with_recall=True))

    privacy.erase(person.discord_user_id, corrections_too=True)

    case, answer = SuiteCase.objects.get(), SuiteAnswer.objects.get()
    assert (case.question, case.expected, answer.answer) == ("[erased]",) * 3
    again = work(suites.submit(version=version, model="small"))
    assert (again.status, again.n_judged) == ("succeeded", 0)


def test_an_answer_that_had_read_an_erased_correction_goes_as_well(endpoint):
    person = DiscordUserFactory()
    gone = CorrectionFactory(approved=True, discord_author=person)
    stays = CorrectionFactory(approved=True)
    run = SuiteRunFactory(rights=[True] * 4)
    first, second, *_ = run.answers.order_by("position")
    SuiteAnswer.objects.filter(pk=first.pk).update(example_ids=[stays.pk, gone.pk])
    SuiteAnswer.objects.filter(pk=second.pk).update(example_ids=[stays.pk])

    privacy.erase(person.discord_user_id, corrections_too=True)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.answer, first.example_ids) == ("[erased]", [stays.pk])
    assert (second.answer, second.example_ids) == ("Answer number 1.", [stays.pk])


def test_a_case_that_is_erased_after_it_was_read_is_not_asked(endpoint):
    person = DiscordUserFactory()
    for number in range(3):
        CorrectionFactory(
            approved=True, discord_author=person, question=f"What is behind door {number}?"
        )
    run = suites.submit(version=suites.corrections_suite(), model="small")
    waiting = suite_work.cases_to_ask(run)
    first = next(waiting)

    privacy.erase(person.discord_user_id, corrections_too=True)

    assert first.question.startswith("What is behind door")
    assert [case.question for case in waiting] == ["[erased]"] * 2


def test_an_erased_case_costs_no_call_and_counts_as_not_judged(endpoint):
    person = DiscordUserFactory()
    CorrectionFactory(approved=True, discord_author=person)
    run = suites.submit(version=suites.corrections_suite(), model="small")
    privacy.erase(person.discord_user_id, corrections_too=True)

    done = work(run)

    assert endpoint.chats == []
    assert (done.status, done.n_done, done.n_judged, done.n_refused) == ("succeeded", 1, 0, 0)
