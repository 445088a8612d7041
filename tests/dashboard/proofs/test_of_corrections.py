"""What is told of one correction: only what rows show, and no words of who is gone."""

import pytest

from dashboard.models import Source
from dashboard.services import corrections, privacy, proofs, trainings
from dashboard.services.proofs import Look
from dashboard.services.proofs.drawing import _of_correction
from tests.dashboard.proofs.making import again, was_asked
from tests.factories import (
    AliasFactory,
    AnswerFactory,
    CorrectionFactory,
    DiscordTalkFactory,
    DiscordUserFactory,
    FineTuneJobFactory,
    LessonFactory,
    QuestionFactory,
    TrainingFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
BASE, TUNED = "small", "ft:small:faq"


def proof_of(correction):
    return proofs.of_correction(again(correction))


def told_on(proof, look) -> str:
    """All words on a picture."""
    return repr(_of_correction(proof, look))


def asked_on_discord(person):
    """An answer to somebody on Discord that is corrected by another."""
    talk = DiscordTalkFactory(discord_user=person)
    question = QuestionFactory(
        conversation=talk, content="Where is my parcel?", source=Source.DISCORD
    )
    return AnswerFactory(
        conversation=talk, reply_to=question, content="On the moon.", source=Source.DISCORD
    )


def test_a_new_correction_claims_nothing():
    proof = proof_of(CorrectionFactory())

    assert proof.headline == "Taught, and waiting for review"
    assert proof.learners == ()
    assert proof.lives_in == "In no model: it is not in force"


def test_how_often_it_fired_is_told():
    correction = CorrectionFactory(approved=True, n_fired=14)
    fired = AnswerFactory(correction=correction)

    proof = proof_of(correction)

    assert proof.headline == "Taught once, given 14 times"
    assert [each.conversation for each in proof.firings] == [fired.conversation_id]
    assert proof.lives_in.startswith("In memory")


def test_a_model_knows_what_it_answers_rightly_without_recall():
    correction = CorrectionFactory(approved=True)
    FineTuneJobFactory(succeeded=True, base_model=BASE, fine_tuned_model=TUNED)
    AliasFactory(name="support", answered_by=TUNED)
    was_asked(BASE, [False])
    was_asked(BASE, [True], with_recall=True)
    run = was_asked(TUNED, [True])

    proof = proof_of(correction)

    tuned, base = proof.learners
    assert (tuned.model, tuned.base_model, tuned.alone, tuned.recalled) == (TUNED, BASE, True, None)
    assert tuned.run == run.pk
    assert [name.in_words for name in tuned.names] == ["@support"]
    assert (base.model, base.alone, base.recalled) == (BASE, False, True)
    assert proof.headline == "Taught once, learned"
    assert proof.lives_in == f"Right without help: {TUNED}"


def test_that_a_model_was_trained_on_it_is_told_beside_whether_it_knows_it():
    correction = CorrectionFactory(approved=True)
    FineTuneJobFactory(succeeded=True, base_model=BASE, fine_tuned_model=TUNED)
    LessonFactory(training=TrainingFactory(model=TUNED), correction=correction)

    (learner,) = proof_of(correction).learners
    assert (learner.trained_at is not None, learner.alone, learner.run) == (True, None, None)
    assert proof_of(correction).lives_in == f"Trained on it, not tested yet: {TUNED}"

    was_asked(TUNED, [False])
    proof = proof_of(correction)
    assert (proof.learners[0].alone, proof.knowing) == (False, [])
    assert proof.lives_in == f"In memory: trained on it, but not right alone: {TUNED}"


def test_the_newest_test_counts():
    correction = CorrectionFactory(approved=True)
    was_asked(TUNED, [True])
    was_asked(TUNED, [False])

    (learner,) = proof_of(correction).learners

    assert learner.alone is False


def test_what_other_words_were_tested_by_tells_nothing_of_these():
    correction = CorrectionFactory(approved=True)
    was_asked(TUNED, [True])
    corrections.edit(
        correction=correction, better_answer="Quite other words.", editor=UserFactory(admin=True)
    )

    assert proof_of(correction).learners == ()


def test_a_picture_names_nobody_unless_it_is_to():
    correction = CorrectionFactory(approved=True, author_name="maya")
    proof = proof_of(correction)

    assert "maya" not in told_on(proof, Look())
    assert "by maya" in told_on(proof, Look(names=True))


def test_ones_own_name_and_words_are_shown_at_first_and_others_are_not():
    admin = UserFactory(admin=True)
    own = proof_of(CorrectionFactory(author=admin, rejected_answer=""))
    theirs = proof_of(CorrectionFactory(message=asked_on_discord(DiscordUserFactory())))

    assert proofs.look_for(own, admin) == Look(names=True, words=True)
    assert proofs.look_for(theirs, admin) == Look(names=False, words=False)
    assert "parcel" not in told_on(theirs, Look(words=False))


def test_who_asked_and_is_erased_leaves_no_words_on_a_card():
    asker = DiscordUserFactory()
    correction = CorrectionFactory(
        question="Where is my parcel?",
        rejected_answer="On the moon.",
        better_answer="Ask the post office.",
        message=asked_on_discord(asker),
        approved=True,
    )
    privacy.erase(asker.discord_user_id, corrections_too=False)

    proof = proof_of(correction)

    words = told_on(proof, Look(names=True, words=True))
    assert proof.asker_is_gone
    assert "parcel" not in words
    assert "moon" not in words
    assert "post office" in words


@pytest.mark.parametrize("model", ["small", ""])
def test_who_asked_what_was_never_answered_and_is_erased_leaves_no_words_either(model):
    asker = DiscordUserFactory()
    failed = asked_on_discord(asker)
    failed.content, failed.model, failed.error = "", model, "The model did not answer."
    failed.save(update_fields=["content", "model", "error"])
    correction = corrections.propose_for(
        message=failed, better_answer="Ask the post office.", author=UserFactory(admin=True)
    )
    privacy.erase(asker.discord_user_id, corrections_too=False)

    words = told_on(proof_of(correction), Look(words=True))

    assert correction.question == "Where is my parcel?"
    assert "parcel" not in words
    assert trainings.look(trainings.scope_of("all")).n_learned == 0


def test_who_taught_and_is_erased_leaves_neither_name_nor_words_on_a_card():
    teacher = DiscordUserFactory(name="maya")
    correction = CorrectionFactory(
        question="Who bakes?",
        rejected_answer="",
        better_answer="Captain Crumb bakes.",
        discord_author=teacher,
        author_name="maya",
        approved=True,
    )
    privacy.erase(teacher.discord_user_id, corrections_too=False)

    words = told_on(proof_of(correction), Look(names=True, words=True))

    assert "maya" not in words
    assert "Crumb" not in words
    assert "bakes" not in words
    assert "someone" not in words


def test_equal_pictures_have_one_address_and_others_another():
    correction = CorrectionFactory(approved=True)
    proof = proof_of(correction)
    before = proofs.address(proof, Look())

    assert proofs.address(proof_of(correction), Look()) == before
    assert proofs.address(proof, Look(dark=True)) != before
    correction.n_fired = 1
    correction.save(update_fields=["n_fired"])
    assert proofs.address(proof_of(correction), Look()) != before
