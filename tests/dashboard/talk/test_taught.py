"""What people taught, as files of training data; and feedback on the page of an answer."""

import json

import pytest
from asgiref.sync import async_to_sync
from django.urls import reverse

from dashboard.models import Feedback
from dashboard.services import feedback
from dashboard.services.access import Person, Role
from tests.factories import AnswerFactory, CorrectionFactory, UserFactory

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


@pytest.mark.origin(21)
def test_corrections_in_force_go_out_as_chat_rows(client, trainer):
    client.force_login(trainer)
    CorrectionFactory(question="Wann?", better_answer='Um "neun".\n', approved=True)
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
    CorrectionFactory(question="When?", better_answer="At nine.", approved=True)
    CorrectionFactory(rejected_answer="", approved=True)

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
