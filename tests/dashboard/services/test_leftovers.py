"""What becomes of questions whose answering was cut off by a kill."""

import pytest
from django.utils.timezone import now

from dashboard.models import Message, OpenInteraction, Source
from dashboard.services import leftovers
from tests.factories import AnswerFactory, QuestionFactory

pytestmark = pytest.mark.django_db


def test_a_question_left_open_is_told_why_it_has_no_answer_once():
    question = QuestionFactory(source=Source.PLAYGROUND)

    n_closed = [leftovers.close_unanswered(Source.PLAYGROUND) for _ in range(2)]

    assert n_closed == [1, 0]
    failure = Message.objects.get(reply_to=question)
    assert failure.error == leftovers.STOPPED
    assert failure.conversation == question.conversation


def test_what_was_answered_or_asked_elsewhere_stays_as_it_is():
    AnswerFactory(source=Source.PLAYGROUND, reply_to__source=Source.PLAYGROUND)
    QuestionFactory(source=Source.DISCORD)
    n_before = Message.objects.count()

    assert leftovers.close_unanswered(Source.PLAYGROUND) == 0

    assert Message.objects.count() == n_before


def test_with_what_a_command_is_answered_is_kept_for_as_long_as_it_may_be():
    question = QuestionFactory()
    leftovers.keep_open(question_id=question.pk, sealed=b"\x00secret")
    assert leftovers.still_open(question.pk) == b"\x00secret"
    assert leftovers.open_among([question.pk, 0]) == {question.pk}

    OpenInteraction.objects.update(expires_at=now())
    assert leftovers.still_open(question.pk) is None
    assert leftovers.open_among([question.pk]) == set()
    assert leftovers.prune() == 1
