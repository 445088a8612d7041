"""What people taught, as files of training data; and feedback on the page of an answer."""

import json

import pytest
from asgiref.sync import async_to_sync
from django.urls import reverse

from dashboard.models import Correction, Feedback, Message
from dashboard.services import feedback
from dashboard.services.access import Person, Role
from dashboard.services.trainings import permissions
from tests.factories import (
    AnswerFactory,
    CorrectionFactory,
    DiscordTalkFactory,
    QuestionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def trainer():
    return UserFactory(trainer=True)


@pytest.fixture
def member():
    return UserFactory()


def lines_of(response) -> list[dict]:
    async def whole() -> bytes:
        return b"".join([piece async for piece in response.streaming_content])

    return [json.loads(line) for line in async_to_sync(whole)().decode().splitlines()]


def direct(**fields) -> Correction:
    """One that somebody taught before anybody had asked."""
    return CorrectionFactory(rejected_answer="", approved=True, **fields)


def answered_on_discord(words: str = "when open??") -> Message:
    talk = DiscordTalkFactory()
    asked = QuestionFactory(conversation=talk, source="discord", content=words)
    return AnswerFactory(conversation=talk, source="discord", reply_to=asked)


def corrected_on_discord(**fields) -> Correction:
    answer = answered_on_discord()
    fields = {"question": "when open??", "better_answer": "At nine.", **fields}
    return CorrectionFactory(approved=True, message=answer, **fields)


def exported(client, kind: str = "chat") -> list[dict]:
    return lines_of(client.get(reverse("correction-export"), {"kind": kind}))


@pytest.mark.origin(21)
def test_corrections_in_force_go_out_as_chat_rows(client, trainer):
    client.force_login(trainer)
    direct(question="Wann?", better_answer='Um "neun".\n')
    CorrectionFactory(question="Waiting?", better_answer="Not yet.")

    found = client.get(reverse("correction-export"))

    assert lines_of(found) == [
        {
            "messages": [
                {"role": "user", "content": "Wann?"},
                {"role": "assistant", "content": 'Um "neun".\n'},
            ]
        }
    ]
    assert "corrections.chat.jsonl" in found["Content-Disposition"]


@pytest.mark.origin(21)
def test_the_old_and_the_better_answer_go_out_as_a_pair(client, trainer):
    client.force_login(trainer)
    CorrectionFactory(
        question="When?", better_answer="At nine.", approved=True, message=AnswerFactory()
    )
    direct()

    found = client.get(reverse("correction-export"), {"kind": "preference"})

    assert lines_of(found) == [
        {
            "input": {"messages": [{"role": "user", "content": "When?"}]},
            "preferred_output": [{"role": "assistant", "content": "At nine."}],
            "non_preferred_output": [{"role": "assistant", "content": "It never closes."}],
        }
    ]


@pytest.mark.origin(21)
def test_judged_answers_go_out_with_their_thumbs(client, trainer):
    client.force_login(trainer)
    answer = AnswerFactory()
    Feedback.objects.create(message=answer, rating=-1, user=trainer)
    Feedback.objects.create(message=AnswerFactory(), rating=0, text="words only", user=trainer)

    found = client.get(reverse("correction-export"), {"kind": "unpaired"})

    assert lines_of(found) == [
        {
            "prompt": [{"role": "user", "content": answer.reply_to.content}],
            "completion": [{"role": "assistant", "content": "It never closes."}],
            "label": False,
        }
    ]


@pytest.mark.parametrize("kind", ["chat", "preference"])
def test_the_words_of_a_discord_message_stay_here(client, trainer, kind):
    client.force_login(trainer)
    corrected_on_discord()

    assert exported(client, kind) == []


def test_judged_answers_to_discord_messages_stay_here(client, trainer):
    client.force_login(trainer)
    Feedback.objects.create(message=answered_on_discord(), rating=1, user=trainer)

    assert exported(client, "unpaired") == []


def test_a_reviewers_own_words_go_out_in_place_of_the_message(client, trainer):
    client.force_login(trainer)
    corrected_on_discord(own_question="When does the library open?")

    (row,) = exported(client)

    assert row == {
        "messages": [
            {"role": "user", "content": "When does the library open?"},
            {"role": "assistant", "content": "At nine."},
        ]
    }


@pytest.mark.parametrize("kind", ["chat", "preference", "unpaired"])
def test_what_goes_out_by_permission_bears_a_mark(client, trainer, kind):
    client.force_login(trainer)
    correction = corrected_on_discord()
    Feedback.objects.create(message=correction.message, rating=1, user=trainer)
    admin = UserFactory(is_superuser=True)
    permissions.permit("Discord, letter of 12 March", actor=admin, topic="trainings")

    (row,) = exported(client, kind)

    assert row["metadata"] == {"provenance": "discord_message"}


@pytest.mark.parametrize("kind", ["chat", "preference"])
def test_the_question_of_somebody_who_had_their_words_deleted_stays_here(client, trainer, kind):
    client.force_login(trainer)
    CorrectionFactory(approved=True, message=None)

    assert exported(client, kind) == []


def test_the_page_says_what_the_files_leave_out_and_why(client, trainer):
    client.force_login(trainer)
    correction = corrected_on_discord()
    corrected_on_discord(rejected_answer="")
    CorrectionFactory(approved=True, message=None)
    Feedback.objects.create(message=correction.message, rating=1, user=trainer)

    page = client.get(reverse("correction-list")).content.decode()

    why = "is Discord message content, and no permission is recorded."
    gone = "Whoever asked 1 had their words deleted."
    assert f"Chat rows: 3 left out. The question of 2 {why} {gone}" in page
    assert f"Pairs: 2 left out. The question of 1 {why} {gone}" in page
    assert f"Feedback: 1 left out. The question of 1 {why}" in page


def test_the_page_says_nothing_where_all_of_it_goes_out(client, trainer):
    client.force_login(trainer)
    direct()

    assert "left out" not in client.get(reverse("correction-list")).content.decode()


def test_a_kind_that_nothing_taught_has_is_refused_in_words(client, trainer):
    client.force_login(trainer)

    found = client.get(reverse("correction-export"), {"kind": "labelled"})

    assert found.status_code == 400
    assert "feedback as unpaired" in found.content.decode()


@pytest.mark.origin(50)
def test_feedback_in_words_stands_escaped_beside_the_answer(client, trainer):
    client.force_login(trainer)
    answer = AnswerFactory()
    ada = Person(Role.MEMBER, "<b>ada</b>", discord_user_id=7)
    feedback.give(message=answer, by=ada, text="<script>alert(1)</script> is awful")

    page = client.get(reverse("conversation-detail", args=[answer.conversation_id]))

    words = page.content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; is awful" in words
    assert "by &lt;b&gt;ada&lt;/b&gt;" in words
    assert "negative" in words


def test_others_words_are_not_shown_to_members(client, member):
    client.force_login(member)
    answer = AnswerFactory(conversation__user=member)
    ada = Person(Role.MEMBER, "ada", discord_user_id=7)
    feedback.give(message=answer, by=ada, text="Not for your eyes")
    feedback.give(message=answer, by=member, text="My own words")

    page = client.get(
        reverse("conversation-detail", args=[answer.conversation_id])
    ).content.decode()

    assert "My own words" in page
    assert "Not for your eyes" not in page
