"""What a training would learn, and what stays out and why."""

import pytest

from dashboard.models import Correction, FineTuneJob
from dashboard.services import trainings
from dashboard.services.trainings import Why, permissions
from tests.dashboard.trainings.driving import EVERYWHERE, taught
from tests.factories import (
    AnswerFactory,
    CorrectionFactory,
    DiscordChannelFactory,
    DiscordGuildFactory,
    DiscordTalkFactory,
    FineTuneJobFactory,
    LessonFactory,
    QuestionFactory,
    TrainingFactory,
    UserFactory,
)
from trainerbot.errors import InvalidInput, NotAllowed, NotFound

pytestmark = pytest.mark.django_db


def corrected_on_discord(**fields) -> Correction:
    """A correction of an answer to what somebody wrote on Discord."""
    talk = DiscordTalkFactory()
    question = QuestionFactory(conversation=talk, source="discord", content="when open??")
    answer = AnswerFactory(conversation=talk, source="discord", reply_to=question)
    return CorrectionFactory(approved=True, message=answer, question=question.content, **fields)


def direct(**fields) -> Correction:
    """One that somebody taught before anybody had asked."""
    return CorrectionFactory(rejected_answer="", **fields)


def admin():
    return UserFactory(is_superuser=True)


def ids(picked) -> set[int]:
    return {pick.id for pick in picked.picks}


def test_what_is_in_force_is_picked_and_what_waits_is_not():
    first, second = taught(2)
    CorrectionFactory()

    picked = trainings.look(EVERYWHERE)

    assert ids(picked) == {first.pk, second.pk}
    assert (picked.n_learned, picked.n_new, picked.n_pairs) == (2, 2, 0)


def test_what_a_model_learned_is_not_new_until_its_words_change():
    old, changed, _ = taught(3)
    FineTuneJobFactory(succeeded=True, fine_tuned_model="ft:a")
    training = TrainingFactory(model="ft:a")
    LessonFactory(training=training, correction=old)
    LessonFactory(training=training, correction=changed)
    Correction.objects.filter(pk=changed.pk).update(revision=2)

    picked = trainings.look(EVERYWHERE)
    only_new = trainings.look(EVERYWHERE, with_known=False)

    assert (picked.n_learned, picked.n_new) == (3, 2)
    assert picked.known_in == (("ft:a", 2),)
    assert old.pk not in ids(only_new)
    assert only_new.n_left_out[Why.KNOWN] == 1


def test_what_a_deleted_model_learned_is_new_again():
    (old,) = taught(1)
    FineTuneJobFactory(succeeded=True, fine_tuned_model="ft:a")
    LessonFactory(training=TrainingFactory(model="ft:a"), correction=old)
    FineTuneJob.objects.update(fine_tuned_model="")

    assert trainings.look(EVERYWHERE).n_new == 1


def test_a_model_that_learned_what_is_in_force_no_more_is_told_of():
    (old,) = taught(1)
    FineTuneJobFactory(succeeded=True, fine_tuned_model="ft:a")
    LessonFactory(training=TrainingFactory(model="ft:a"), correction=old)
    assert trainings.look(EVERYWHERE).n_outdated == 0

    Correction.objects.update(state=Correction.State.REJECTED)
    assert trainings.look(EVERYWHERE).n_outdated == 1
    Correction.objects.all().delete()
    assert trainings.look(EVERYWHERE).n_outdated == 1


# --- Discord's policy -------------------------------------------------------------
def test_a_question_out_of_a_channel_is_learned_only_with_discords_permission():
    correction = corrected_on_discord()
    assert trainings.look(EVERYWHERE).left_out == {Why.DISCORD: [correction]}

    permissions.permit("By letter of 2026-03-01, file 12.", actor=admin(), topic="t")
    picked = trainings.look(EVERYWHERE)
    assert (ids(picked), picked.n_discord) == ({correction.pk}, 1)

    permissions.withdraw(actor=admin(), topic="t")
    assert not trainings.look(EVERYWHERE).picks


def test_only_an_admin_records_that_permission_and_in_words():
    with pytest.raises(NotAllowed):
        permissions.permit("By letter of 2026-03-01.", actor=UserFactory(), topic="t")
    with pytest.raises(InvalidInput, match="who permitted it"):
        permissions.permit("  ok ", actor=admin(), topic="t")


def test_a_question_worded_by_a_reviewer_needs_nobodys_permission():
    correction = corrected_on_discord(own_question="When do you open?")

    picked = trainings.look(EVERYWHERE)

    assert (ids(picked), picked.n_discord) == ({correction.pk}, 0)


def test_a_question_from_the_playground_needs_nobodys_permission():
    answer = AnswerFactory(reply_to=QuestionFactory())
    CorrectionFactory(approved=True, message=answer)

    assert trainings.look(EVERYWHERE).n_learned == 1


def test_the_question_of_somebody_who_had_their_words_deleted_is_not_learned():
    correction = corrected_on_discord(rejected_answer="Never.")
    permissions.permit("By letter of 2026-03-01, file 12.", actor=admin(), topic="t")
    correction.message.conversation.delete()

    picked = trainings.look(EVERYWHERE)

    assert picked.n_left_out == {Why.ASKER_ERASED: 1}


# --- one answer to a question -----------------------------------------------------
def test_of_one_question_in_one_place_only_the_newest_is_learned():
    older = direct(approved=True, question="When do you open?", better_answer="At 8.")
    newer = direct(approved=True, question="when do you open", better_answer="At 9.")

    picked = trainings.look(EVERYWHERE)

    assert ids(picked) == {newer.pk}
    assert picked.left_out == {Why.CONTRADICTED: [older]}


def test_nearly_the_same_question_with_another_answer_is_found_too():
    older = direct(approved=True, question="When does the library open?", better_answer="At 8.")
    newer = direct(approved=True, question="When does the libary open?", better_answer="At 9.")

    picked = trainings.look(EVERYWHERE)

    assert ids(picked) == {newer.pk}
    assert picked.left_out[Why.CONTRADICTED] == [older]


def test_the_words_of_a_guild_go_before_those_of_everywhere():
    guild = DiscordGuildFactory()
    own = direct(approved=True, question="When do you open?", better_answer="At 8.", guild=guild)
    direct(approved=True, question="When do you open?", better_answer="At 9.")

    picked = trainings.look(trainings.Scope(f"guild-{guild.pk}", guild))

    assert ids(picked) == {own.pk}


def test_where_two_guilds_differ_neither_is_learned_for_all():
    for hour in (8, 9):
        direct(
            approved=True,
            question="When do you open?",
            better_answer=f"At {hour}.",
            guild=DiscordGuildFactory(),
        )

    picked = trainings.look(trainings.Scope("all"))

    assert picked.n_left_out == {Why.CONTRADICTED: 2}
    assert not picked.picks


def test_a_model_of_all_guilds_learns_what_counts_everywhere_rather_than_one_guilds_words():
    direct(
        approved=True,
        question="When do you open?",
        better_answer="At 8.",
        guild=DiscordGuildFactory(),
    )
    everywhere = direct(approved=True, question="When do you open?", better_answer="At 9.")

    assert ids(trainings.look(trainings.Scope("all"))) == {everywhere.pk}


def test_another_guilds_words_and_those_of_one_channel_stay_where_they_count():
    channel = DiscordChannelFactory()
    in_channel = direct(approved=True, guild=channel.guild, channel=channel)
    direct(approved=True, guild=DiscordGuildFactory())

    picked = trainings.look(trainings.Scope(f"guild-{channel.guild.pk}", channel.guild))

    assert not picked.picks
    assert picked.left_out == {Why.CHANNEL: [in_channel]}


# --- the test ---------------------------------------------------------------------
def test_what_is_held_out_is_always_the_same():
    taught(60)

    first = trainings.look(EVERYWHERE, hold_out=20)
    again = trainings.look(EVERYWHERE, hold_out=20)

    held_out = {pick.id for pick in first.picks if pick.is_held_out}
    assert 0 < len(held_out) < 30
    assert held_out == {pick.id for pick in again.picks if pick.is_held_out}
    assert first.n_learned == 60 - len(held_out)


def test_a_scope_is_spelled_by_its_value():
    guild = DiscordGuildFactory()
    direct(approved=True, guild=guild)

    assert [scope.value for scope in trainings.scopes()] == ["everywhere", f"guild-{guild.pk}"]
    assert trainings.scope_of(f"guild-{guild.pk}").guild == guild
    for value in ("guild-0", "guild-x", "elsewhere", "guild-99999999999999999999"):
        with pytest.raises(NotFound):
            trainings.scope_of(value)
