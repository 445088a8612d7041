"""How answers on Discord are found, and what is thought of them."""

import pytest

from dashboard.models import Feedback, Source
from dashboard.services import answers, conversations, feedback
from dashboard.services.access import Person, Role
from tests.factories import AnswerFactory, QuestionFactory, UserFactory
from trainerbot.errors import InvalidInput, NotFound

pytestmark = pytest.mark.django_db
ADA = Person(Role.MEMBER, "ada", discord_user_id=7)
CHANNEL, FIRST = 11, 1 << 40


@pytest.fixture
def talk():
    return conversations.for_discord(
        guild_id=1,
        guild_name="Testers",
        channel_id=CHANNEL,
        channel_name="general",
        discord_user_id=7,
        user_name="ada",
    )


def posted(talk, discord_message_id: int, **fields):
    question = QuestionFactory(conversation=talk, source=Source.DISCORD)
    return AnswerFactory(
        conversation=talk,
        reply_to=question,
        source=Source.DISCORD,
        discord_message_id=discord_message_id,
        **fields,
    )


def test_an_answer_is_found_by_each_of_its_messages(talk):
    long = posted(talk, FIRST, discord_parts=[FIRST + 5, FIRST + 9])
    posted(talk, FIRST + 2)  # begun while the long one was posted

    for number in (FIRST, FIRST + 5, FIRST + 9):
        assert answers.posted(number, channel_ids=[CHANNEL]) == long


@pytest.mark.parametrize("number", [FIRST + 1, 0, -1, 2**70])
def test_what_carries_no_answer_is_not_found(talk, number):
    posted(talk, FIRST)

    with pytest.raises(NotFound, match=r"Message not found\."):
        answers.posted(number, channel_ids=[CHANNEL])


def test_an_answer_of_another_channel_is_not_found(talk):
    answer = posted(talk, FIRST)

    for find in (
        lambda: answers.posted(FIRST, channel_ids=[12]),
        lambda: answers.to_question(answer.reply_to_id, channel_ids=[12]),
        lambda: answers.get(answer.pk, channel_ids=[12]),
        lambda: answers.latest(discord_user_id=7, channel_ids=[12]),
    ):
        with pytest.raises(NotFound):
            find()


@pytest.mark.parametrize(
    ("words", "tone"),
    [("You are great", "positive"), ("This is not good", "negative"), ("Ужасно", "negative")],
)
def test_the_tone_of_words_is_kept(talk, words, tone):
    kept = feedback.give(message=posted(talk, FIRST), by=ADA, text=words)

    assert (kept.text, kept.tone, kept.rating) == (words, tone, 0)


def test_a_thumb_and_words_of_one_person_are_one_row(talk):
    answer = posted(talk, FIRST)
    feedback.give(message=answer, by=ADA, text="Slow")
    feedback.give(message=answer, by=ADA, rating=-1)
    feedback.give(message=answer, by=UserFactory(), rating=1)

    assert sorted(Feedback.objects.values_list("rating", "text")) == [(-1, "Slow"), (1, "")]


@pytest.mark.parametrize("words", ["", " \n", "x" * 4_001, "\x00", "\ud800"])
def test_words_that_are_none_are_refused(talk, words):
    with pytest.raises(InvalidInput):
        feedback.give(message=posted(talk, FIRST), by=ADA, text=words)


def test_a_question_cannot_be_rated(talk):
    with pytest.raises(InvalidInput, match="Only the bot's answers"):
        feedback.give(message=QuestionFactory(), by=ADA, rating=1)
