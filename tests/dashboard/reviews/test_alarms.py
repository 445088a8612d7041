"""What is wrong among the corrections in force."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from dashboard.services import alarms, corrections
from tests.factories import CorrectionFactory, DiscordGuildFactory, UserFactory

pytestmark = pytest.mark.django_db


def kinds():
    return [each.kind for each in alarms.everything().shown]


def long_in_force(**fields):
    return CorrectionFactory(approved=True, reviewed_at=now() - timedelta(days=31), **fields)


def test_what_nobody_asked_for_in_thirty_days_is_dead():
    row = long_in_force()
    long_in_force(n_fired=1)
    long_in_force(n_shown=1)
    CorrectionFactory(approved=True, reviewed_at=now())
    CorrectionFactory()

    found = alarms.everything()

    assert (found.n, found.shown[0].corrections) == (1, (row,))
    assert "for 31 days" in found.shown[0].sentence


@pytest.mark.parametrize("wording", ["When does the library open?", "when does the libary open"])
def test_two_answers_to_one_question_in_one_place_are_an_alarm(wording):
    older = CorrectionFactory(approved=True, question="When does the library open?")
    newer = CorrectionFactory(approved=True, question=wording)

    found = alarms.everything()

    assert [each.corrections for each in found.shown] == [(newer, older)]
    assert f"is given: #{newer.pk}" in found.shown[0].sentence


def test_the_same_answer_twice_is_none():
    for _ in range(2):
        CorrectionFactory(approved=True, question="When do you open?", better_answer="At nine.")

    assert kinds() == []


def test_narrowing_the_place_of_one_ends_the_alarm():
    older = CorrectionFactory(approved=True, question="When do you open?")
    newer = CorrectionFactory(approved=True, question="When do you open?")
    assert kinds() == ["contradiction"]

    corrections.move(
        correction=newer, guild=DiscordGuildFactory(), editor=UserFactory(trainer=True)
    )

    assert kinds() == []
    corrections.undo(user=newer.steps.get().user)
    assert kinds() == ["contradiction"]
    corrections.reject(correction=older, reviewer=None)
    assert kinds() == []
