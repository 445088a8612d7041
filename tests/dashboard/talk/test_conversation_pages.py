"""The list of conversations, and one of them."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.models import Source
from dashboard.services import browsing
from tests.factories import (
    AnswerFactory,
    ConversationFactory,
    CorrectionFactory,
    QuestionFactory,
    UserFactory,
)
from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def trainer(client):
    user = UserFactory(trainer=True)
    client.force_login(user)
    return user


def spoken_in(n, **fields):
    """`n` conversations, each last spoken in a minute after the one before."""
    return [
        ConversationFactory(
            title=f"talk {i}", last_message_at=NOON + timedelta(minutes=i), **fields
        )
        for i in range(n)
    ]


def test_the_list_is_newest_talk_first(trainer):
    first, second, third = spoken_in(3)
    first.last_message_at = NOON + timedelta(hours=1)
    first.save()

    assert browsing.find(user=trainer).rows == [first, third, second]


def test_pages_follow_each_other_there_and_back_without_gap_or_double(trainer, monkeypatch):
    monkeypatch.setattr(browsing, "PAGE", 2)
    moment = {"last_message_at": NOON}
    rows = [ConversationFactory(**moment) for _ in range(5)][::-1]

    first = browsing.find(user=trainer)
    second = browsing.find(user=trainer, after=first.after)
    third = browsing.find(user=trainer, after=second.after)
    back = browsing.find(user=trainer, before=third.before)

    assert first.rows + second.rows + third.rows == rows
    assert back.rows == second.rows
    assert (first.before, third.after) == ("", "")


@pytest.mark.parametrize("token", ["x", "1", "1-", "-1-1-", "9" * 40 + "-1"])
def test_a_damaged_page_address_is_refused_in_words(client, trainer, token):
    refused = client.get("/conversations/", {"after": token})

    assert refused.status_code == 400
    assert "damaged" in refused.content.decode()


def test_a_member_sees_only_their_own(client):
    member = UserFactory()
    client.force_login(member)
    ConversationFactory(user=member, title="mine")
    ConversationFactory(title="not mine")

    page = client.get("/conversations/").content.decode()

    assert "mine" in page
    assert "not mine" not in page


def test_one_face_can_be_chosen(client, trainer):
    ConversationFactory(title="from the bot", source=Source.DISCORD)
    ConversationFactory(title="from here")

    page = client.get("/conversations/?source=discord").content.decode()

    assert "from the bot" in page
    assert "from here" not in page


def test_a_search_finds_the_conversation_in_which_one_message_holds_all_words(client, trainer):
    QuestionFactory(content="When does the LIBRARY open?", conversation__title="hit")
    QuestionFactory(content="Is the library far?", conversation__title="miss")

    page = client.get("/conversations/?q=library+open").content.decode()

    assert "hit" in page
    assert "miss" not in page


def test_a_search_that_finds_nothing_says_what_to_do(client, trainer):
    page = client.get("/conversations/?q=unicorn").content.decode()

    assert "Nothing matches" in page


def test_a_search_tells_when_it_has_not_looked_at_everything(client, trainer, monkeypatch):
    monkeypatch.setattr(browsing, "SEARCHED_MESSAGES", 1)
    QuestionFactory(content="library, long ago")
    QuestionFactory(content="library, just now")

    found = browsing.find(user=trainer, words="library")
    page = client.get("/conversations/?q=library").content.decode()

    assert len(found.rows) == 1
    assert not found.searched_all
    assert "Older ones are not looked at" in page


def test_an_over_long_search_is_refused_in_words(trainer):
    with pytest.raises(InvalidInput, match="200 characters"):
        browsing.find(user=trainer, words="x" * 201)


def test_an_empty_list_tells_the_next_step(client, trainer):
    page = client.get("/conversations/").content.decode()

    assert "No conversations yet" in page
    assert "Ask in the Playground" in page


def test_a_transcript_shows_all_sides_and_what_was_taught(client, trainer):
    answer = AnswerFactory(content="It never closes.")
    correction = CorrectionFactory(message=answer, better_answer="At nine.", approved=True)

    page = client.get(f"/conversations/{answer.conversation_id}/").content.decode()

    assert "When does the library open?" in page
    assert "It never closes." in page
    assert f"Correction #{correction.pk}" in page
    assert "At nine." in page
    assert 'data-topics="conversations"' in page


def test_words_of_people_and_models_never_become_markup(client, trainer):
    answer = AnswerFactory(content="<script>alert(1)</script>")

    page = client.get(f"/conversations/{answer.conversation_id}/").content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_long_transcript_comes_in_pages_newest_last(client, trainer):
    conversation = ConversationFactory()
    for number in range(130):
        QuestionFactory(conversation=conversation, content=f"question {number}.")

    newest = client.get(f"/conversations/{conversation.pk}/")
    earlier = client.get(
        f"/conversations/{conversation.pk}/", {"after": newest.context["transcript"].earlier}
    ).content.decode()

    assert "question 129." in newest.content.decode()
    assert "question 69." not in newest.content.decode()
    assert "question 69." in earlier
    assert "question 70." not in earlier


def test_somebody_elses_transcript_does_not_exist_for_a_member(client):
    client.force_login(UserFactory())
    conversation = ConversationFactory()

    assert client.get(f"/conversations/{conversation.pk}/").status_code == 404
    assert client.get(f"/conversations/{conversation.pk}/messages/").status_code == 404


def test_only_the_own_playground_conversation_can_be_gone_on_with(client, trainer):
    own = ConversationFactory(user=trainer)
    other = ConversationFactory()

    assert "Go on in the Playground" in client.get(f"/conversations/{own.pk}/").content.decode()
    assert "Go on" not in client.get(f"/conversations/{other.pk}/").content.decode()


def test_the_list_costs_as_many_queries_for_many_rows_as_for_one(
    client, trainer, django_assert_max_num_queries
):
    for _ in range(20):
        AnswerFactory()

    with django_assert_max_num_queries(14):
        client.get("/conversations/")


def test_a_transcript_costs_as_many_queries_for_many_rows_as_for_one(
    client, trainer, django_assert_max_num_queries
):
    conversation = ConversationFactory()
    for _ in range(20):
        answer = AnswerFactory(conversation=conversation, reply_to__conversation=conversation)
        CorrectionFactory(message=answer)

    with django_assert_max_num_queries(16):
        client.get(f"/conversations/{conversation.pk}/")


def test_a_search_for_what_is_no_text_is_refused_in_words(trainer, client):
    response = client.get("/conversations/", {"q": "a\x00b"})

    assert response.status_code == 400
    assert "no text" in response.content.decode()
