import pytest

from dashboard.models import Conversation, Message
from dashboard.services import corrections
from tests.dashboard.commands.running import refusal, rows, run, write
from tests.fakes.openai_endpoint import Reply, error_body

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_answer_is_printed_and_both_sides_are_logged(endpoint):
    assert run("ask", "When?", "--model", "large") == "Hello there.\n"
    asked, answered = Message.objects.order_by("pk")
    assert (asked.content, asked.source) == ("When?", "api")
    assert (answered.content, answered.model) == ("Hello there.", "large")


def test_json_has_exactly_the_promised_keys(endpoint):
    (answer,) = rows("ask", "When?")
    ms = answer.pop("ms")
    assert isinstance(ms, int)
    assert answer == {
        "question": "When?",
        "answer": "Hello there.",
        "model": "large",
        "correction": None,
        "examples": [],
    }


def test_a_correction_answers_verbatim_and_examples_are_named(endpoint, tmp_path):
    correction = corrections.propose(
        question="When does the Lindenhof library open?", better_answer="At nine.", approved=True
    )
    questions = (correction.question, "When does the Lindenhof library open and who works there?")
    path = write(tmp_path / "q.jsonl", *[{"question": question} for question in questions])

    exact, alike = rows("ask", "--file", path)

    assert (exact["answer"], exact["correction"], exact["examples"]) == (
        "At nine.",
        correction.pk,
        [],
    )
    assert (alike["correction"], alike["examples"]) == (None, [correction.pk])


def test_each_line_of_a_file_is_a_conversation_of_its_own(endpoint, tmp_path):
    path = write(tmp_path / "q.jsonl", {"question": "One?"}, {"question": "Two?"})
    answers = rows("ask", "--file", path)
    assert [answer["question"] for answer in answers] == ["One?", "Two?"]
    assert Conversation.objects.count() == 2


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ((), "Give one question, or a file"),
        ((" ",), "The message is empty"),
        (("x" * 32_001,), "32,000 is the most"),
        (("When?", "--file", "x.jsonl"), "Give one question, or a file"),
    ],
)
def test_a_question_that_is_none_is_refused_in_words_and_not_stored(endpoint, args, complaint):
    assert complaint in refusal("ask", *args)
    assert not Conversation.objects.exists()


def test_one_bad_line_is_named_before_any_question_is_asked(endpoint, tmp_path):
    path = write(tmp_path / "q.jsonl", {"question": "One?"}, {"question": "x" * 32_001})
    assert "q.jsonl, line 2: The message has 32,001 characters" in refusal("ask", "--file", path)
    assert not Conversation.objects.exists()
    assert endpoint.chats == []


def test_an_unknown_model_is_refused_in_words(endpoint):
    endpoint.replies = [Reply(status=404, error=error_body("No such model.", "model_not_found"))]
    assert "does not know model nix" in refusal("ask", "When?", "--model", "nix")


def test_a_dead_endpoint_is_told_in_words(endpoint, settings):
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    assert "cannot be reached" in refusal("ask", "When?", "--model", "small")
