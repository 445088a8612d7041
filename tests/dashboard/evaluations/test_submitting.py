"""Which tests can be asked for, and what they will ask."""

import pytest

from dashboard.models import AuditEvent, DatasetVersion, OutboxEvent
from dashboard.services import evaluations
from dashboard.services.evaluations import cases
from tests.factories import (
    DatasetVersionFactory,
    LabelledVersionFactory,
    UserFactory,
)
from trainerbot.errors import Conflict, InvalidInput, NotFound
from trainerbot.formats.rows import Kind
from trainerbot.messages import ChatMessage, Role

pytestmark = pytest.mark.django_db


def submit(version, **more):
    return evaluations.submit(version=version, model="small", **more)


def of_answers(*answers: str, system: str = "") -> DatasetVersion:
    """A version of conversations with these answers."""
    version = DatasetVersionFactory(n_examples=len(answers))
    for example, answer in zip(version.examples.order_by("position"), answers, strict=True):
        example.answer = answer
        turns = [("user", example.question), ("assistant", answer)]
        turns = [("system", system), *turns] if system else turns
        example.record = {"messages": [{"role": r, "content": c} for r, c in turns]}
        example.save()
    return version


def test_a_test_takes_its_labels_from_the_data_and_asks_all_rows(endpoint):
    trainer = UserFactory(trainer=True)

    test = submit(LabelledVersionFactory(), created_by=trainer)

    assert (test.labels, test.n_records, test.status) == (["negative", "positive"], 4, "queued")
    assert AuditEvent.objects.get(action="evaluation.submit").actor == trainer
    assert OutboxEvent.objects.filter(topic="evaluations").exists()


def test_without_a_model_the_one_that_chats_is_asked(endpoint):
    assert evaluations.submit(version=LabelledVersionFactory()).model == "large"


def test_the_same_test_asked_for_twice_is_one(endpoint):
    version = LabelledVersionFactory()

    assert submit(version) == submit(version)
    assert submit(version, limit=2) != submit(version)


def test_a_limit_above_the_rows_means_all(endpoint):
    assert submit(LabelledVersionFactory(), limit=1000).n_records == 4


def test_a_batch_of_one_of_the_originals_labels_is_tested_against_both(endpoint):
    version = LabelledVersionFactory(examples=[("Basket", "positive"), ("Pay", "positive")])

    assert submit(version).labels == ["positive", "negative"]


def test_labels_that_the_data_lacks_may_be_named_as_well(endpoint):
    chosen = ["positive", "negative", "cannot tell"]

    assert submit(LabelledVersionFactory(), labels=chosen).labels == chosen


@pytest.mark.parametrize(
    ("rows", "more", "said"),
    [
        ([("a", "spam")], {}, "The only label is 'spam'"),
        ([("a", "spam"), ("b", "ham")], {"labels": ["spam", "eggs"]}, "also has the label 'ham'"),
        ([("a", "spam"), ("b", "ham")], {"labels": ["spam", "ham", "x" * 101]}, "1 to 100"),
        ([("a", f"class {n}") for n in range(201)], {}, "201 labels"),
        ([("a", "spam"), ("b", "ham")], {"limit": 0}, "1 or more"),
        ([("a", "spam"), ("b", "ham")], {"part": "test"}, "part test .* has no rows"),
        ([("a", "spam"), ("b", "ham")], {"part": "half"}, "no part 'half'"),
        ([("a", "spam"), ("b", "ham")], {"instruction": "x" * 20_001}, "20,000"),
        ([("a", "spam"), ("b", "ham")], {"instruction": "\x00"}, "no text"),
    ],
)
def test_what_cannot_be_tested_is_refused_in_words(endpoint, rows, more, said):
    version = LabelledVersionFactory(examples=rows)

    with pytest.raises(InvalidInput, match=said):
        submit(version, **more)


def test_rows_of_another_kind_are_refused_in_words(endpoint):
    with pytest.raises(InvalidInput, match="preference rows, which have no labels"):
        submit(DatasetVersionFactory(kind="preference"))


def test_conversations_with_a_few_short_answers_can_be_tested(endpoint):
    assert submit(of_answers("yes", "no", "no")).labels == ["no", "yes"]


@pytest.mark.parametrize(
    "answers", [[f"answer {n}" for n in range(21)], ["yes", "no " * 60], ["yes", ""]]
)
def test_conversations_whose_answers_are_no_labels_are_refused(endpoint, answers):
    with pytest.raises(InvalidInput, match="no labels"):
        submit(of_answers(*answers))


def test_a_draft_is_frozen_first(endpoint):
    version = LabelledVersionFactory(draft=True)

    test = submit(version)

    assert not test.version.is_draft


def test_a_deleted_dataset_is_not_tested(endpoint):
    version = LabelledVersionFactory(dataset__archived_at="2026-01-01T00:00Z")

    with pytest.raises(NotFound, match="was deleted"):
        submit(version)


def test_what_is_over_cannot_be_cancelled(endpoint):
    test = submit(LabelledVersionFactory())
    evaluations.cancel(test, actor=None)
    assert test.status == "cancelled"

    with pytest.raises(Conflict, match="over already"):
        evaluations.cancel(evaluations.get(test.pk), actor=None)


def test_a_text_is_asked_as_training_shows_it():
    case = cases.case_of({"text": "Basket", "label": "b"}, Kind.LABELLED, labels=["a", "b"])

    assert case.messages == (
        ChatMessage(Role.SYSTEM, "Answer with exactly one of: a, b."),
        ChatMessage(Role.USER, "Basket"),
    )


def test_a_conversation_is_asked_without_its_last_answer():
    turns = [("system", "Be a judge."), ("user", "First?"), ("assistant", "no"), ("user", "Now?")]
    record = {"messages": [{"role": r, "content": c} for r, c in [*turns, ("assistant", "yes")]]}

    case = cases.case_of(record, Kind.CHAT, labels=["no", "yes"])
    other = cases.case_of(record, Kind.CHAT, labels=["no", "yes"], instruction="Say.")

    assert [(m.role, m.content) for m in case.messages] == turns
    assert other.messages[0] == ChatMessage(Role.SYSTEM, "Say.")
    assert other.messages[1:] == case.messages[1:]


def test_a_conversation_without_instruction_is_told_the_labels():
    record = {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Is it?"}]},
            {"role": "assistant", "content": "yes"},
        ]
    }

    case = cases.case_of(record, Kind.CHAT, labels=["no", "yes"])

    assert [m.content for m in case.messages] == [
        "Answer with exactly one of: no, yes.",
        "Is it?",
    ]


def test_the_page_can_say_beforehand_what_will_be_told(endpoint):
    version = of_answers("yes", "no", system="Be a judge.")

    assert cases.instruction_of(version, ["no", "yes"]) == "Be a judge."
