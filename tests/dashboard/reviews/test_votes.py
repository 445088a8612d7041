"""Several reviewers: votes, disagreement, and who decides then."""

import threading

import pytest
from django.db import connection

from dashboard.models import Correction
from dashboard.services import corrections, recall
from dashboard.services.access import Person, Role
from tests.factories import (
    AnswerFactory,
    CorrectionFactory,
    DiscordTalkFactory,
    GuildSettingsFactory,
    UserFactory,
)
from trainerbot.errors import Conflict, NotAllowed, TrainerBotError

pytestmark = pytest.mark.django_db
State = Correction.State


@pytest.fixture
def guild():
    return GuildSettingsFactory(reviewers_needed=2).guild


@pytest.fixture
def waiting(guild):
    return CorrectionFactory(guild=guild)


def trainer(name=None):
    return UserFactory(trainer=True, **({"username": name} if name else {}))


def test_it_is_in_force_once_as_many_as_the_server_wants_have_approved(waiting):
    corrections.approve(correction=waiting, reviewer=trainer())
    assert waiting.state == State.PROPOSED
    assert corrections.tally(waiting).in_words == "1 of 2 approved"

    corrections.approve(correction=waiting, reviewer=trainer())

    assert waiting.state == State.APPROVED


def test_one_person_has_one_vote(waiting):
    grace = trainer()
    corrections.approve(correction=waiting, reviewer=grace)

    with pytest.raises(Conflict, match="your vote already: 1 of 2 approved"):
        corrections.approve(correction=waiting, reviewer=grace)

    assert waiting.votes.count() == 1


def test_a_vote_may_be_changed(waiting):
    grace = trainer()
    corrections.approve(correction=waiting, reviewer=grace)

    corrections.reject(correction=waiting, reviewer=grace, note="Out of date.")

    found = corrections.tally(waiting)
    assert (found.approving, found.rejecting) == ((), (grace.username,))
    assert not waiting.is_disputed


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_one_against_another_is_a_disagreement_that_an_admin_decides(waiting, verdict):
    corrections.approve(correction=waiting, reviewer=trainer())
    corrections.reject(correction=waiting, reviewer=trainer())
    assert (waiting.state, waiting.is_disputed) == (State.PROPOSED, True)
    corrections.approve(correction=waiting, reviewer=trainer())
    assert waiting.state == State.PROPOSED

    getattr(corrections, verdict)(correction=waiting, reviewer=UserFactory(admin=True))

    assert waiting.state == (State.APPROVED if verdict == "approve" else State.REJECTED)
    assert not waiting.is_disputed


def test_as_many_are_needed_to_reject(waiting):
    corrections.reject(correction=waiting, reviewer=trainer())
    assert waiting.state == State.PROPOSED

    corrections.reject(correction=waiting, reviewer=trainer(), note="Untrue.")

    assert (waiting.state, waiting.review_note) == (State.REJECTED, "Untrue.")


def test_who_wrote_it_does_not_review_it(guild):
    grace = trainer()
    own = corrections.propose(question="Who?", better_answer="Me.", author=grace, guild=guild)
    assert own.state == State.PROPOSED

    with pytest.raises(NotAllowed, match="Somebody else must look at it"):
        corrections.approve(correction=own, reviewer=grace)


def test_an_admins_own_words_count_as_one_review(guild):
    own = corrections.propose(
        question="Who?", better_answer="Me.", author=UserFactory(admin=True), guild=guild
    )
    assert corrections.tally(own).in_words == "1 of 2 approved"

    corrections.approve(correction=own, reviewer=trainer())

    assert own.state == State.APPROVED


def test_other_words_are_voted_on_anew(waiting):
    corrections.approve(correction=waiting, reviewer=trainer())

    corrections.approve(correction=waiting, reviewer=trainer("maya"), better_answer="At noon.")

    assert waiting.state == State.PROPOSED
    assert corrections.tally(waiting).approving == ("maya",)


def test_other_words_of_what_is_in_force_wait_for_the_others(guild):
    correction = CorrectionFactory(approved=True, guild=guild)

    corrections.edit(correction=correction, better_answer="At noon.", editor=trainer())

    assert correction.state == State.PROPOSED
    assert corrections.tally(correction).in_words == "1 of 2 approved"


def test_one_reviewer_is_enough_to_take_words_out_of_force_and_two_to_put_them_back(guild):
    correction = CorrectionFactory(approved=True, guild=guild)
    corrections.reject(correction=correction, reviewer=trainer())
    assert correction.state == State.REJECTED

    corrections.approve(correction=correction, reviewer=trainer())

    assert correction.state == State.PROPOSED


def test_people_of_discord_and_of_the_dashboard_vote_together(guild):
    talk = DiscordTalkFactory(discord_channel__guild=guild)
    correction = corrections.propose_for(
        message=AnswerFactory(conversation=talk), better_answer="At nine."
    )
    on_discord = Person(role=Role.TRAINER, name="ada", discord_user_id=77)

    corrections.approve(correction=correction, reviewer=on_discord)
    with pytest.raises(Conflict):
        corrections.approve(correction=correction, reviewer=on_discord)
    corrections.approve(correction=correction, reviewer=trainer())

    assert correction.state == State.APPROVED


def test_where_fewer_are_wanted_by_now_the_same_vote_again_is_enough(waiting, guild):
    grace = trainer()
    corrections.approve(correction=waiting, reviewer=grace)
    guild.settings.reviewers_needed = 1
    guild.settings.save()

    corrections.approve(correction=waiting, reviewer=grace)

    assert waiting.state == State.APPROVED


def test_an_edit_on_an_outdated_page_is_refused_and_says_who_changed_it(waiting):
    seen = Correction.objects.get(pk=waiting.pk)
    corrections.edit(correction=waiting, better_answer="At noon.", editor=trainer("maya"))

    with pytest.raises(Conflict, match="was changed by maya meanwhile"):
        corrections.approve(correction=seen, reviewer=trainer())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("against", [False, True])
def test_reviewers_who_decide_at_once_lose_and_double_no_vote(against):
    waiting = CorrectionFactory(guild=GuildSettingsFactory(reviewers_needed=4).guild)
    people = [trainer() for _ in range(4)]
    start = threading.Barrier(4)

    def vote(person, is_against):
        try:
            start.wait()
            seen = corrections.get(waiting.pk)
            for _ in range(2):
                act = corrections.reject if is_against else corrections.approve
                try:
                    act(correction=seen, reviewer=person)
                except TrainerBotError:
                    return
        finally:
            connection.close()

    threads = [
        threading.Thread(target=vote, args=(person, against and number == 0))
        for number, person in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    waiting.refresh_from_db()
    assert waiting.votes.count() == 4
    assert waiting.steps.count() == 4
    if against:
        assert (waiting.state, waiting.is_disputed) == (State.PROPOSED, True)
    else:
        assert waiting.state == State.APPROVED
        assert recall.current().recall(waiting.question).verbatim is None  # counts on its server
