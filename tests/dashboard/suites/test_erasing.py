"""Somebody's corrections are erased from suites that never change, too."""

import pytest

from dashboard.models import SuiteAnswer, SuiteCase
from dashboard.services import privacy, suites
from tests.dashboard.suites.asking import work
from tests.factories import CorrectionFactory, DiscordUserFactory

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
