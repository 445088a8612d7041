import pytest

from dashboard.models import AuditEvent, Correction, OutboxEvent
from dashboard.services import corrections, recall
from tests.factories import AnswerFactory, CorrectionFactory, QuestionFactory, UserFactory
from trainerbot.errors import Conflict, InvalidInput

pytestmark = pytest.mark.django_db
State = Correction.State


def test_an_admins_own_correction_is_in_force_at_once():
    correction = corrections.propose(
        question="Who?", better_answer="You.", author=UserFactory(admin=True)
    )
    assert correction.state == State.APPROVED
    assert recall.current().recall("Who?").verbatim.id == correction.pk


def test_a_members_correction_waits_and_is_not_recalled():
    correction = corrections.propose(question="Who?", better_answer="You.", author=UserFactory())
    assert correction.state == State.PROPOSED
    assert recall.current().recall("Who?").verbatim is None


def test_correcting_an_answer_takes_question_and_old_words_from_the_log():
    answer = AnswerFactory()
    correction = corrections.propose_for(message=answer, better_answer="At nine.")
    assert correction.question == answer.reply_to.content
    assert correction.rejected_answer == answer.content
    assert correction.model == answer.model


def test_the_words_are_kept_to_the_letter():
    words = "  At *nine*,\n\n\tnot ten. "
    assert corrections.propose(question="When?", better_answer=words).better_answer == words


@pytest.mark.parametrize(
    ("question", "better", "complaint"),
    [
        ("", "Yes.", "question is empty"),
        ("Really?", " \n", "better answer is empty"),
        ("Really?", "x" * 32_001, "32,000 is the most"),
        ("Really?", "nul \x00", "no text"),
        ("half \ud83d", "Yes.", "no text"),
    ],
)
def test_a_correction_of_nothing_is_refused_in_words(question, better, complaint):
    with pytest.raises(InvalidInput, match=complaint):
        corrections.propose(question=question, better_answer=better)
    assert not Correction.objects.exists()


def test_the_same_words_are_no_correction():
    answer = AnswerFactory()
    with pytest.raises(InvalidInput, match="same as the old one"):
        corrections.propose_for(message=answer, better_answer=answer.content)


def test_a_question_cannot_be_corrected():
    with pytest.raises(InvalidInput, match="Only an answer"):
        corrections.propose_for(message=QuestionFactory(), better_answer="No.")


def test_approval_puts_it_in_force_and_is_told_and_audited():
    correction = CorrectionFactory()
    reviewer = UserFactory(trainer=True)

    corrections.approve(correction=correction, reviewer=reviewer)

    assert correction.state == State.APPROVED
    assert correction.reviewer == reviewer
    assert OutboxEvent.objects.filter(topic="corrections").exists()
    assert AuditEvent.objects.get(action="correction.approve").actor == reviewer


def test_a_reviewer_may_change_the_words_while_approving():
    correction = corrections.approve(
        correction=CorrectionFactory(), reviewer=None, better_answer="At ten."
    )
    assert correction.better_answer == "At ten."


def test_the_slower_of_two_reviewers_is_told():
    correction = CorrectionFactory()
    seen_by_the_other = Correction.objects.get(pk=correction.pk)
    corrections.approve(correction=correction, reviewer=UserFactory(username="grace"))
    with pytest.raises(Conflict, match="was put in force by grace already"):
        corrections.reject(correction=seen_by_the_other, reviewer=None)


def test_a_rejected_correction_is_recalled_no_more():
    correction = CorrectionFactory(approved=True)
    assert recall.current().recall(correction.question).verbatim is not None
    corrections.reject(correction=correction, reviewer=None)
    assert recall.current().recall(correction.question).verbatim is None


def test_edited_words_are_in_force_at_once():
    correction = CorrectionFactory(approved=True)
    recall.current()
    corrections.edit(correction=correction, better_answer="At noon.", editor=None)
    found = recall.current().recall(correction.question).verbatim
    assert found.answer == "At noon."
