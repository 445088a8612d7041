"""Somebody with an account and a Discord role has one vote, once they have said that they are one."""

import pytest

from dashboard.models import Correction, CorrectionVote
from dashboard.services import corrections, links, privacy
from dashboard.services.access import Person, Role
from tests.factories import CorrectionFactory, GuildSettingsFactory, UserFactory
from trainerbot.errors import Conflict, NotAllowed

pytestmark = pytest.mark.django_db
State = Correction.State
ADA = Person(role=Role.TRAINER, name="ada", discord_user_id=77)


@pytest.fixture
def guild():
    return GuildSettingsFactory(reviewers_needed=2).guild


@pytest.fixture
def waiting(guild):
    return CorrectionFactory(guild=guild)


@pytest.fixture
def grace():
    """Who is ada on Discord."""
    return UserFactory(username="grace", trainer=True)


def link(user, person=ADA):
    links.redeem(person=person, code=links.make_code(user))


def trainer():
    return UserFactory(trainer=True)


def in_words(row) -> str:
    return corrections.tally(row).in_words


def again(row) -> Correction:
    return corrections.get(row.pk)


@pytest.mark.parametrize("discord_first", [False, True])
def test_both_faces_together_do_not_bring_it_into_force(waiting, grace, discord_first):
    link(grace)
    first, second = (ADA, grace) if discord_first else (grace, ADA)
    corrections.approve(correction=waiting, reviewer=first)

    with pytest.raises(Conflict, match="your vote already: 1 of 2 approved"):
        corrections.approve(correction=waiting, reviewer=second)
    corrections.approve(correction=again(waiting), reviewer=trainer())

    assert again(waiting).state == State.APPROVED


def test_the_later_of_both_votes_counts_and_nobody_disagrees_with_themselves(waiting, grace):
    link(grace)
    corrections.approve(correction=waiting, reviewer=ADA)

    corrections.reject(correction=waiting, reviewer=grace, note="I was wrong.")

    assert (waiting.is_disputed, in_words(waiting)) == (False, "1 of 2 rejected")
    assert waiting.votes.count() == 1


def test_votes_that_were_given_before_count_once_from_the_link_on(waiting, grace):
    corrections.approve(correction=waiting, reviewer=grace)
    corrections.reject(correction=waiting, reviewer=ADA)
    assert waiting.is_disputed

    link(grace)

    assert (again(waiting).is_disputed, in_words(waiting)) == (False, "1 of 2 rejected")


def test_the_vote_for_the_words_of_now_counts_and_not_a_later_one_for_old_words(waiting, grace):
    corrections.approve(correction=waiting, reviewer=grace)
    corrections.reject(correction=waiting, reviewer=ADA)
    CorrectionVote.objects.filter(user=grace).update(revision=waiting.revision + 1)
    Correction.objects.update(revision=waiting.revision + 1)

    link(grace)

    assert in_words(again(waiting)) == "1 of 2 approved"


def test_a_link_decides_nothing(waiting, grace):
    corrections.approve(correction=waiting, reviewer=trainer())
    corrections.reject(correction=waiting, reviewer=grace)
    corrections.approve(correction=waiting, reviewer=ADA)

    link(grace)

    assert (again(waiting).state, in_words(waiting)) == (State.PROPOSED, "2 of 2 approved")
    # The same vote once more is enough.
    corrections.approve(correction=again(waiting), reviewer=grace)
    assert again(waiting).state == State.APPROVED


def test_what_is_in_force_stays_in_force_and_shows_that_one_person_approved_it(waiting, grace):
    corrections.approve(correction=waiting, reviewer=grace)
    corrections.approve(correction=waiting, reviewer=ADA)

    link(grace)

    assert (again(waiting).state, in_words(waiting)) == (State.APPROVED, "1 of 2 approved")


def test_what_is_taken_back_does_not_count_both_again(waiting, grace):
    corrections.approve(correction=waiting, reviewer=ADA)
    corrections.approve(correction=waiting, reviewer=grace)
    link(grace)

    back = corrections.undo(user=grace)

    assert back.state == State.PROPOSED
    assert len(corrections.tally(back).approving) <= 1


@pytest.mark.parametrize("before", [False, True])
def test_parting_them_again_counts_no_vote_twice(waiting, grace, before):
    if before:
        link(grace)
    corrections.approve(correction=waiting, reviewer=grace)
    if not before:
        link(grace)

    links.unlink(grace)

    with pytest.raises(Conflict, match="1 of 2 approved"):
        corrections.approve(correction=again(waiting), reviewer=ADA)
    assert waiting.votes.count() == 1


def test_whoever_links_another_account_takes_their_votes_along(waiting, grace):
    link(grace)
    corrections.approve(correction=waiting, reviewer=ADA)
    links.unlink(grace)
    maya = trainer()
    corrections.reject(correction=again(waiting), reviewer=maya)

    link(maya)

    assert in_words(again(waiting)) == "1 of 2 rejected"
    assert waiting.votes.count() == 1


def test_an_author_does_not_review_their_own_words_from_the_other_face(guild, grace):
    link(grace)
    on_page = corrections.propose(question="Who?", better_answer="Me.", author=grace, guild=guild)
    there = corrections.propose(question="When?", better_answer="Now.", author=ADA, guild=guild)

    for row, reviewer in ((on_page, ADA), (there, grace)):
        with pytest.raises(NotAllowed, match="Somebody else must look at it"):
            corrections.approve(correction=row, reviewer=reviewer)


def test_a_review_of_ones_own_words_does_not_count_from_the_link_on(guild, grace):
    own = corrections.propose(question="Who?", better_answer="Me.", author=grace, guild=guild)
    corrections.approve(correction=own, reviewer=ADA)

    link(grace)

    assert in_words(again(own)) == "0 of 2 approved"


def test_an_admins_own_words_count_as_one_review_on_both_faces_together(guild):
    admin = UserFactory(admin=True)
    own = corrections.propose(question="Who?", better_answer="Me.", author=admin, guild=guild)
    corrections.approve(correction=own, reviewer=ADA)
    assert own.state == State.APPROVED  # nobody could know

    other = corrections.propose(question="When?", better_answer="Now.", author=admin, guild=guild)
    link(admin)
    with pytest.raises(NotAllowed):
        corrections.approve(correction=other, reviewer=ADA)

    assert in_words(other) == "1 of 2 approved"


def test_a_vote_stays_the_accounts_when_its_discord_user_is_erased(waiting, grace):
    link(grace)
    corrections.approve(correction=waiting, reviewer=ADA)

    privacy.erase(77, corrections_too=False)

    assert corrections.tally(waiting).approving == ("grace",)
    with pytest.raises(Conflict):
        corrections.approve(correction=again(waiting), reviewer=grace)


def test_words_with_which_somebody_voted_on_discord_go_from_what_their_account_did(waiting, grace):
    link(grace)
    corrections.reject(correction=waiting, reviewer=ADA, note="Ada knows better.")
    corrections.approve(correction=waiting, reviewer=grace)

    privacy.erase(77, corrections_too=False)

    kept = [str(each.before) + each.note for each in waiting.steps.all()]
    kept += waiting.votes.values_list("note", flat=True)
    assert not any("Ada" in words for words in kept)


def test_votes_that_came_in_at_the_moment_of_the_link_count_once(waiting, grace):
    link(grace)
    # As another process may have written them while the link was being made.
    user, there = grace, grace.discord_link.discord_user
    for values in ({"user": user}, {"discord_user": there}):
        CorrectionVote.objects.create(
            correction=waiting, name="x", approves=True, revision=waiting.revision, **values
        )

    assert in_words(waiting) == "1 of 2 approved"
    corrections.reject(correction=waiting, reviewer=ADA)
    assert waiting.votes.count() == 1


# --- Only people with an account --------------------------------------------------------
@pytest.fixture
def strict(guild):
    guild.settings.linked_only = True
    guild.settings.save()


def test_where_only_known_people_count_others_on_discord_are_told_how(strict, waiting, grace):
    with pytest.raises(NotAllowed, match="by `/link`"):
        corrections.approve(correction=waiting, reviewer=ADA)
    with pytest.raises(NotAllowed, match="by `/link`"):
        corrections.reject(correction=waiting, reviewer=ADA)
    link(grace)
    corrections.approve(correction=waiting, reviewer=ADA)

    assert in_words(waiting) == "1 of 2 approved"


def test_votes_of_unknown_people_stop_to_count_when_a_server_wants_it(waiting, guild):
    corrections.approve(correction=waiting, reviewer=ADA)
    guild.settings.linked_only = True
    guild.settings.save()

    assert in_words(waiting) == "0 of 2 approved"


def test_an_account_that_was_shut_is_none(strict, waiting, grace):
    link(grace)
    corrections.approve(correction=waiting, reviewer=ADA)
    grace.is_active = False
    grace.save()

    assert in_words(waiting) == "0 of 2 approved"
    with pytest.raises(NotAllowed, match="by `/link`"):
        corrections.reject(correction=waiting, reviewer=ADA)


def test_where_one_decides_alone_nobody_needs_an_account(strict, waiting, guild):
    guild.settings.reviewers_needed = 1
    guild.settings.save()

    corrections.approve(correction=waiting, reviewer=ADA)

    assert waiting.state == State.APPROVED
