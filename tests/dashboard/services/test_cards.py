"""What is remembered of a correction's card, and what happened while it was on its way."""

import pytest

from dashboard.services import cards, corrections
from tests.factories import CorrectionFactory, UserFactory

pytestmark = pytest.mark.django_db


def read_again(correction):
    correction.refresh_from_db()
    return correction.card_is_open, correction.card_is_stale


def test_words_that_changed_while_a_card_was_posted_are_shown_soon():
    correction = CorrectionFactory()
    corrections.edit(
        correction=type(correction).objects.get(pk=correction.pk),
        better_answer="At ten.",
        editor=UserFactory(trainer=True),
    )

    cards.opened(correction, channel_id=1, message_id=2)

    assert read_again(correction) == (True, True)


def test_a_card_that_shows_what_there_is_needs_nothing():
    correction = CorrectionFactory()

    cards.opened(correction, channel_id=1, message_id=2)

    assert read_again(correction) == (True, False)


def test_a_decision_that_changed_while_it_was_shown_is_shown_again():
    grace = UserFactory(trainer=True)
    correction = CorrectionFactory()
    cards.opened(correction, channel_id=1, message_id=2)
    approved = corrections.approve(correction=correction, reviewer=grace)
    corrections.reject(
        correction=type(correction).objects.get(pk=correction.pk), reviewer=grace, note="No."
    )

    cards.closed(approved)

    assert read_again(correction)[0]
