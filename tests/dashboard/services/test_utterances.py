"""What was said, beside the questions that it became."""

import pytest

from dashboard.models import Utterance
from dashboard.services import utterances
from tests.factories import QuestionFactory, UtteranceFactory

pytestmark = pytest.mark.django_db


def test_words_spoken_into_a_page_go_once_their_question_is_gone():
    kept = QuestionFactory()
    lost = QuestionFactory()
    for question in (kept, lost):
        UtteranceFactory(call=None, discord_user=None, message=question)
    in_a_call = UtteranceFactory(message=None)
    lost.conversation.delete()

    assert utterances.prune() == 1

    assert set(Utterance.objects.all()) == {kept.utterance, in_a_call}
