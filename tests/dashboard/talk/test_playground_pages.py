"""The Playground's pages, as each role meets them."""

import pytest

from dashboard.models import Source
from dashboard.services import assistant
from tests.factories import (
    AnswerFactory,
    ConversationFactory,
    CorrectionFactory,
    QuestionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client):
    user = UserFactory()
    client.force_login(user)
    return user


def test_a_newcomer_sees_what_to_do_and_questions_to_try(client, member):
    page = client.get("/playground/").content.decode()

    assert "Teach the bot by correcting it" in page
    assert 'data-asks="When does our library open?"' in page


def test_the_page_needs_a_sign_in(client):
    answer = client.get("/playground/")

    assert answer.status_code == 302
    assert answer.url == "/sign-in/?next=/playground/"


def test_a_conversation_comes_back_from_its_rows(client, member):
    answer = AnswerFactory(conversation__user=member, content="It never <b>closes</b>.")

    page = client.get(f"/playground/{answer.conversation_id}/").content.decode()

    assert "When does the library open?" in page
    assert "It never &lt;b&gt;closes&lt;/b&gt;." in page
    assert f'data-conversation="{answer.conversation_id}"' in page


def test_an_unanswered_question_can_be_asked_again(client, member):
    question = QuestionFactory(conversation__user=member, content="Anybody there?")

    page = client.get(f"/playground/{question.conversation_id}/").content.decode()

    assert 'data-asks="Anybody there?"' in page


def test_the_model_of_the_address_is_chosen(client, member):
    page = client.get("/playground/?model=ft:small:knn:7").content.decode()

    assert "<option selected>ft:small:knn:7</option>" in page


def test_the_model_of_the_settings_is_the_default(client, member):
    assistant.use_model("large", actor=None)

    page = client.get("/playground/").content.decode()

    assert "Default: large" in page


def test_somebody_elses_conversation_does_not_exist_for_a_member(client, member):
    answer = AnswerFactory()

    assert client.get(f"/playground/{answer.conversation_id}/").status_code == 404


@pytest.mark.parametrize("source", [Source.PLAYGROUND, Source.DISCORD])
def test_a_trainer_reads_other_conversations_but_does_not_go_on_with_them(client, source):
    client.force_login(UserFactory(trainer=True))
    conversation = ConversationFactory(source=source)

    answer = client.get(f"/playground/{conversation.pk}/")

    assert answer.status_code == 302
    assert answer.url == f"/conversations/{conversation.pk}/"


def test_a_number_beyond_every_row_is_just_not_found(client, member):
    assert client.get("/playground/99999999999999999999999/").status_code == 404


def test_an_answer_tells_which_correction_it_is_and_why(client):
    client.force_login(UserFactory(admin=True))
    correction = CorrectionFactory(approved=True)
    answer = AnswerFactory(correction=correction)

    fragment = client.get(f"/answers/{answer.pk}/").content.decode()

    assert f"corrected · #{correction.pk}" in fragment
    assert f'href="/corrections/{correction.pk}/"' in fragment
    assert "No model was asked" in fragment


def test_an_answer_names_the_corrections_that_its_model_read(client):
    client.force_login(UserFactory(admin=True))
    shown = CorrectionFactory(approved=True, question="When does the café open?")
    answer = AnswerFactory(example_ids=[shown.pk, 4711])

    fragment = client.get(f"/answers/{answer.pk}/").content.decode()

    assert "When does the café open?" in fragment
    assert "#4711" in fragment


def test_a_member_learns_no_words_of_other_peoples_corrections(client, member):
    correction = CorrectionFactory(approved=True, question="Who is ill?")
    answer = AnswerFactory(
        conversation__user=member, correction=correction, example_ids=[correction.pk]
    )

    fragment = client.get(f"/answers/{answer.pk}/").content.decode()

    assert f"corrected · #{correction.pk}" in fragment
    assert "Who is ill?" not in fragment
    assert "/corrections/" not in fragment


@pytest.mark.parametrize(
    ("fingerprint", "told"),
    [
        ("knn:verbatim:12", "Word for word from line 12"),
        ("knn:few-shot:3,9", "after reading lines 3, 9"),
        ("knn:base", "its base model answered"),
    ],
)
def test_a_tuned_models_way_to_an_answer_is_told_in_words(client, member, fingerprint, told):
    answer = AnswerFactory(conversation__user=member, fingerprint=fingerprint)

    assert told in client.get(f"/answers/{answer.pk}/").content.decode()


def test_a_failed_answer_says_why_and_offers_to_retry(client, member):
    answer = AnswerFactory(
        conversation__user=member, content="", error="The model server does not answer."
    )

    fragment = client.get(f"/answers/{answer.pk}/").content.decode()

    assert "The model server does not answer." in fragment
    assert "Retry" in fragment
