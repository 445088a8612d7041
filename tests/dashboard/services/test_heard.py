"""What a later turn knows of an answer that was spoken in a call."""

import pytest

from dashboard.models import Utterance
from dashboard.services.chat import memory
from tests.factories import AnswerFactory, DiscordTalkFactory, QuestionFactory
from trainerbot.messages import ChatMessage, Role

pytestmark = pytest.mark.django_db

QUESTION, ANSWER = "When do you open?", "At nine. And on Sundays at ten."
NEWEST = 2**62


@pytest.fixture
def answer():
    talk = DiscordTalkFactory()
    question = QuestionFactory(conversation=talk, content=QUESTION)
    return AnswerFactory(conversation=talk, reply_to=question, content=ANSWER)


def answered(answer, **heard) -> ChatMessage:
    Utterance.objects.create(message=answer.reply_to, text=QUESTION, **heard)
    asked, said = memory.of_conversation(answer.conversation_id, before=NEWEST)
    assert asked == ChatMessage(Role.USER, QUESTION)
    assert said.role == Role.ASSISTANT
    return said


def test_of_an_interrupted_answer_only_what_was_heard_was_said(answer):
    assert answered(answer, spoken="At nine.", was_interrupted=True).content == "At nine."


def test_an_answer_that_was_heard_to_its_end_was_said_as_it_is_written(answer):
    assert answered(answer, spoken="At nine and so on").content == ANSWER


def test_an_answer_that_was_never_spoken_was_said_as_it_is_written(answer):
    assert answered(answer).content == ANSWER


def test_an_answer_of_which_nothing_was_heard_is_no_empty_message(answer):
    assert answered(answer, was_interrupted=True).content == memory.UNHEARD


def test_who_replies_to_the_written_answer_means_all_of_it(answer):
    Utterance.objects.create(message=answer.reply_to, spoken="At nine.", was_interrupted=True)

    assert memory.of_chain(answer.pk)[-1].content == ANSWER
