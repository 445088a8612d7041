"""What a reviewer did last they may take back."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now

from dashboard.models import AuditEvent, Correction, CorrectionStep
from dashboard.services import corrections, recall
from tests.factories import CorrectionFactory, GuildSettingsFactory, UserFactory
from trainerbot.errors import Conflict, NotFound

pytestmark = pytest.mark.django_db
State = Correction.State


@pytest.fixture
def grace():
    return UserFactory(trainer=True, username="grace")


def test_an_approval_taken_back_is_out_of_force_and_waits_again(grace):
    correction = CorrectionFactory()
    corrections.approve(correction=correction, reviewer=grace)

    undone = corrections.undo(user=grace)

    assert (undone.pk, undone.state, undone.reviewer) == (correction.pk, State.PROPOSED, None)
    assert recall.current().recall(correction.question).verbatim is None
    assert not undone.votes.exists()
    assert AuditEvent.objects.filter(action="correction.undo", actor=grace).exists()


def test_words_and_place_come_back(grace):
    guild = GuildSettingsFactory().guild
    correction = CorrectionFactory(approved=True, better_answer="At nine.")
    corrections.edit(correction=correction, better_answer="At ten.", editor=grace)
    corrections.move(correction=correction, guild=guild, editor=grace)

    corrections.undo(user=grace)
    back = corrections.undo(user=grace)

    assert (back.better_answer, back.guild, back.state) == ("At nine.", None, State.APPROVED)


def test_what_was_voted_on_counts_again_once_other_words_are_taken_back(grace):
    correction = CorrectionFactory(guild=GuildSettingsFactory(reviewers_needed=3).guild)
    corrections.approve(correction=correction, reviewer=UserFactory(trainer=True, username="maya"))
    corrections.approve(correction=correction, reviewer=grace, better_answer="At ten.")
    assert corrections.tally(correction).approving == ("grace",)

    back = corrections.undo(user=grace)

    assert corrections.tally(back).approving == ("maya",)


def test_votes_count_again_where_another_takes_back_their_words_while_one_waits_for_the_lock(grace):
    guild = GuildSettingsFactory(reviewers_needed=4).guild
    correction = CorrectionFactory(guild=guild, better_answer="At nine.")
    maya, ruth = (UserFactory(trainer=True, username=name) for name in ("maya", "ruth"))
    corrections.approve(correction=correction, reviewer=maya)
    corrections.approve(correction=correction, reviewer=grace)
    corrections.edit(correction=correction, better_answer="At ten.", editor=ruth)
    was_faster = []

    def while_grace_waits(execute, sql, params, many, context):
        # As PostgreSQL does: what was committed meanwhile is seen once the row is locked.
        if not was_faster and sql.startswith("SELECT") and 'FROM "dashboard_correction"' in sql:
            was_faster.append(ruth)
            corrections.undo(user=ruth)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(while_grace_waits):
        back = corrections.undo(user=grace)

    assert was_faster
    assert (back.better_answer, corrections.tally(back).approving) == ("At nine.", ("maya",))


def test_a_page_that_shows_the_words_taken_back_decides_nothing(grace):
    correction = CorrectionFactory()
    corrections.edit(correction=correction, better_answer="At ten.", editor=grace)
    seen = Correction.objects.get(pk=correction.pk)
    corrections.undo(user=grace)

    with pytest.raises(Conflict, match="meanwhile"):
        corrections.approve(correction=seen, reviewer=grace)


def test_a_changed_vote_taken_back_is_the_vote_of_before(grace):
    correction = CorrectionFactory(guild=GuildSettingsFactory(reviewers_needed=2).guild)
    corrections.approve(correction=correction, reviewer=grace)
    corrections.reject(correction=correction, reviewer=grace)

    back = corrections.undo(user=grace)

    assert corrections.tally(back).approving == ("grace",)


def test_what_others_built_on_stays(grace):
    correction = CorrectionFactory()
    corrections.approve(correction=correction, reviewer=grace)
    other = UserFactory(trainer=True, username="maya")
    corrections.edit(correction=correction, better_answer="At ten.", editor=other)

    with pytest.raises(Conflict, match="changed by maya"):
        corrections.undo(user=grace)


def test_only_ones_own_and_only_within_the_hour(grace):
    corrections.approve(correction=CorrectionFactory(), reviewer=grace)
    with pytest.raises(NotFound, match="nothing in the last hour"):
        corrections.undo(user=UserFactory(trainer=True))
    CorrectionStep.objects.update(created_at=now() - timedelta(hours=2))

    with pytest.raises(NotFound):
        corrections.undo(user=grace)


def test_pressed_twice_by_mistake_takes_back_one_thing(grace):
    first, second = CorrectionFactory(), CorrectionFactory()
    corrections.approve(correction=first, reviewer=grace)
    corrections.approve(correction=second, reviewer=grace)
    step = corrections.undoable(grace).pk
    corrections.undo(user=grace, step=step)

    with pytest.raises(Conflict, match="something else since"):
        corrections.undo(user=grace, step=step)

    first.refresh_from_db()
    assert first.state == State.APPROVED


def test_history_shows_who_did_what_with_the_words_of_before(grace):
    correction = corrections.propose(
        question="When?", better_answer="At nine.", author=UserFactory(username="ada")
    )
    corrections.approve(correction=correction, reviewer=grace, better_answer="At ten.")
    corrections.comment(correction=correction, text="Since May.", author=grace)
    corrections.move(correction=correction, guild=GuildSettingsFactory().guild, editor=grace)
    corrections.undo(user=grace)

    told = corrections.timeline(correction)

    assert [(each.name, each.did) for each in told] == [
        ("ada", "proposed it"),
        ("grace", "put it in force"),
        ("grace", "said"),
        ("grace", "moved it"),
        ("grace", "took back what they did last"),
    ]
    assert (told[1].old_words, told[1].new_words) == ("At nine.", "At ten.")
    assert told[2].comment == "Since May."
    assert told[3].old_place == "Everywhere"
    assert told[3].is_undone


def test_two_steps_taken_back_lose_nobodys_vote(grace):
    correction = CorrectionFactory(guild=GuildSettingsFactory(reviewers_needed=3).guild)
    for name in ("maya", "noor"):
        voter = UserFactory(trainer=True, username=name)
        corrections.approve(correction=correction, reviewer=voter)
    corrections.approve(correction=correction, reviewer=grace)
    correction.refresh_from_db()
    assert correction.state == State.APPROVED
    corrections.edit(correction=correction, better_answer="At ten.", editor=grace)

    corrections.undo(user=grace)
    back = corrections.undo(user=grace)

    assert back.state == State.PROPOSED
    assert corrections.tally(back).approving == ("maya", "noor")
