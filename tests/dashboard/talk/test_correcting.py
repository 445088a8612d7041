"""Correcting and rating answers, from wherever they are shown."""

import json

import pytest
from django.db import IntegrityError

from dashboard.models import Correction, Feedback
from tests.factories import AnswerFactory, QuestionFactory, UserFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def member(client):
    user = UserFactory()
    client.force_login(user)
    return user


@pytest.fixture
def trainer(client):
    user = UserFactory(trainer=True)
    client.force_login(user)
    return user


def correct(client, answer, words):
    return client.post(f"/answers/{answer.pk}/correct/", {"better_answer": words}, headers=HTMX)


def test_the_dialog_shows_question_and_old_answer_and_an_empty_field(client, member):
    answer = AnswerFactory(conversation__user=member)

    dialog = client.get(f"/answers/{answer.pk}/correct/").content.decode()

    assert "When does the library open?" in dialog
    assert "It never closes." in dialog
    assert "</textarea>" in dialog
    assert "It never closes.</textarea>" not in dialog


def test_a_reviewers_correction_is_in_force_from_the_next_message(client, trainer):
    answer = AnswerFactory()

    said = correct(client, answer, "At nine.")

    correction = Correction.objects.get()
    assert correction.state == Correction.State.APPROVED
    assert (correction.question, correction.rejected_answer, correction.better_answer) == (
        "When does the library open?",
        "It never closes.",
        "At nine.",
    )
    assert "In force from the next message" in said.content.decode()
    assert f'id="answer-{answer.pk}" hx-swap-oob="true"' in said.content.decode()


def test_a_members_correction_waits_for_review(client, member):
    answer = AnswerFactory(conversation__user=member)

    said = correct(client, answer, "At nine.")

    assert Correction.objects.get().state == Correction.State.PROPOSED
    assert "Waiting for review" in said.content.decode()
    assert "Ask again" not in said.content.decode()


def test_the_right_answer_is_kept_exactly_as_it_was_typed(client, trainer):
    # Browsers send line ends as two characters.
    correct(client, AnswerFactory(), "\r\n  At nine,\r\n\tor <b>ten</b>.  ")

    assert Correction.objects.get().better_answer == "\n  At nine,\n\tor <b>ten</b>.  "


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("", "Write the right answer first."),
        ("   ", "The better answer is empty."),
        ("It never closes.", "same as the old one"),
        ("x" * 32_001, "32,001 characters"),
        ("a\x00b", "Null characters"),
    ],
)
def test_a_correction_of_nothing_is_refused_in_words(client, trainer, words, complaint):
    refused = correct(client, AnswerFactory(), words)

    assert refused.status_code == 422
    assert complaint in refused.content.decode()
    assert not Correction.objects.exists()


def test_saving_tells_the_page_to_forget_its_draft(client, trainer):
    answer = AnswerFactory()

    said = correct(client, answer, "At nine.")

    assert json.loads(said["HX-Trigger"]) == {"saved": {"draft": f"answer-{answer.pk}"}}


@pytest.mark.parametrize("path", ["", "correct/", "feedback/"])
def test_somebody_elses_answer_does_not_exist_for_a_member(client, member, path):
    answer = AnswerFactory()
    address = f"/answers/{answer.pk}/{path}"

    said = client.post(address) if path == "feedback/" else client.get(address)

    assert said.status_code == 404


def test_a_question_is_no_answer_to_correct(client, trainer):
    assert client.get(f"/answers/{QuestionFactory().pk}/correct/").status_code == 404


def test_a_thumb_is_kept_changed_and_taken_back(client, member):
    answer = AnswerFactory(conversation__user=member)
    address = f"/answers/{answer.pk}/feedback/"

    up = client.post(address, {"rating": "1"})
    client.post(address, {"rating": "-1"})

    assert 'aria-pressed="true"' in up.content.decode()
    assert [(row.rating, row.user) for row in Feedback.objects.all()] == [(-1, member)]
    taken_back = client.post(address, {"rating": "0"})
    assert 'aria-pressed="true"' not in taken_back.content.decode()


@pytest.mark.parametrize("rating", ["", "2", "good", "1e9"])
def test_a_rating_that_is_none_is_refused_in_words(client, member, rating):
    answer = AnswerFactory(conversation__user=member)

    refused = client.post(f"/answers/{answer.pk}/feedback/", {"rating": rating}, headers=HTMX)

    assert refused.status_code == 400
    assert "A rating is" in refused["HX-Trigger"]


def test_everybodys_thumbs_are_counted_but_only_ones_own_is_pressed(client, trainer):
    answer = AnswerFactory()
    Feedback.objects.create(message=answer, rating=1, user=UserFactory())
    Feedback.objects.create(message=answer, rating=1)

    fragment = client.get(f"/answers/{answer.pk}/").content.decode()

    assert '<span class="num">2</span>' in fragment
    assert 'aria-pressed="true"' not in fragment


def test_the_database_itself_keeps_one_rating_a_person():
    answer = AnswerFactory()
    user = UserFactory()
    Feedback.objects.create(message=answer, user=user, rating=1)

    with pytest.raises(IntegrityError):
        Feedback.objects.create(message=answer, user=user, rating=-1)
