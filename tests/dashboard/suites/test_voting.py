"""Blind votes, and what they say of judges."""

import pytest
from django.utils.timezone import now

from dashboard.models import SuiteAnswer, SuitePoll, SuiteVote
from dashboard.services import links, privacy, suites
from dashboard.services.access import Person, Role
from dashboard.services.suites import votes
from tests.factories import SuiteRunFactory, UserFactory, suite_version
from trainerbot.errors import Conflict, InvalidInput, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs():
    version = suite_version(n_cases=6)
    return (
        SuiteRunFactory(version=version, rights=(True, True, True, False, False, True)),
        SuiteRunFactory(version=version, rights=(False, False, True, True, False, False)),
    )


def better(pair: votes.Pair, run) -> str:
    """The side on which a voter sees the answer of a run."""
    return "a" if pair.a.run_id == run.pk else "b"


def test_only_answers_that_differ_are_put_to_the_vote(runs):
    assert [row.position for row in votes.pairs(*runs)] == [0, 1, 3, 5]


def test_a_voter_goes_through_all_pairs_once(runs):
    voter = UserFactory()
    seen = []
    while (pair := votes.next_pair(*runs, voter=voter)) is not None:
        seen.append(pair.a.position)
        votes.cast(pair.a.pk, pair.b.pk, choice=better(pair, runs[0]), voter=voter)

    assert seen == [0, 1, 3, 5]
    assert votes.n_left(*runs, voter=voter) == 0
    assert votes.tally(*runs) == votes.Tally(n=4, wins=4, losses=0, ties=0, both_bad=0)
    assert votes.tally(runs[1], runs[0]).losses == 4
    assert votes.n_left(*runs, voter=UserFactory()) == 4


def test_sides_are_shuffled_for_each_voter_and_stay_for_one(runs):
    first = votes.pairs(*runs).first()
    sides = set()
    for number in range(40):
        shown = votes.pair(first.pk, first.other, key=f"user {number}")
        assert shown == votes.pair(first.other, first.pk, key=f"user {number}")
        sides.add(better(shown, runs[0]))
    assert sides == {"a", "b"}


def test_what_counts_is_the_answer_and_not_the_side(runs):
    answer = votes.pairs(*runs).first()
    for _ in range(8):
        voter = UserFactory()
        pair = votes.pair(answer.pk, answer.other, key=f"user {voter.pk}")
        vote, _ = votes.cast(pair.a.pk, pair.b.pk, choice=better(pair, runs[0]), voter=voter)
        assert vote.choice == SuiteVote.Choice.FIRST
        assert vote.first.run == runs[0]


def test_one_person_has_one_vote_on_a_pair(runs):
    voter, answer = UserFactory(), votes.pairs(*runs).first()
    votes.cast(answer.pk, answer.other, choice="tie", voter=voter)

    with pytest.raises(Conflict, match="already"):
        votes.cast(answer.other, answer.pk, choice="a", voter=voter)
    assert SuiteVote.objects.count() == 1


def test_what_is_no_pair_or_no_choice_is_refused(runs):
    one, other = SuiteAnswer.objects.filter(run=runs[0])[:2]
    with pytest.raises(NotFound):
        votes.cast(one.pk, other.pk, choice="a", voter=UserFactory())
    with pytest.raises(NotFound):
        votes.cast(one.pk, one.pk, choice="a", voter=UserFactory())
    answer = votes.pairs(*runs).first()
    with pytest.raises(InvalidInput):
        votes.cast(answer.pk, answer.other, choice="c", voter=UserFactory())
    with pytest.raises(InvalidInput):
        votes.pairs(runs[0], SuiteRunFactory(rights=[True]))


def test_a_judge_is_checked_against_people(runs):
    voter = UserFactory()
    # People agree with the judge three times, and once they take both for bad.
    for at, pair_of in enumerate(list(votes.pairs(*runs))):
        pair = votes.pair(pair_of.pk, pair_of.other, key=f"user {voter.pk}")
        right = pair.a if pair.a.is_right else pair.b
        choice = "neither" if at == 3 else better(pair, right.run)
        votes.cast(pair.a.pk, pair.b.pk, choice=choice, voter=voter)

    (judge, found), *others = votes.agreements(suites.get(runs[0].pk)).items()

    assert (judge, others) == ("similar", [])
    assert (found.n, found.share) == (4, 0.75)
    assert 0 < found.kappa < 1


def test_a_poll_counts_once_and_each_side_for_the_answer_that_it_showed(runs):
    answer = votes.pairs(*runs).first()
    poll = SuitePoll.objects.create(
        first_id=answer.pk,
        second_id=answer.other,
        is_swapped=True,
        discord_channel_id=7,
        state=SuitePoll.State.OPEN,
        ends_at=now(),
    )

    assert votes.keep_polled(poll, counts={"a": 2, "b": 1, "tie": 1, "neither": 3}, voters={})
    assert not votes.keep_polled(poll, counts={"b": 5}, voters={})
    assert votes.tally(*runs) == votes.Tally(n=7, wins=1, losses=2, ties=1, both_bad=3)
    assert votes.agreements(suites.get(runs[0].pk))["similar"].n == 7
    assert votes.n_left(*runs, voter=UserFactory()) == 4


def test_pairs_whose_words_were_erased_after_a_vote_do_not_count_as_left():
    voter = UserFactory(trainer=True)
    version = suite_version(n_cases=2)
    first = SuiteRunFactory(version=version, rights=(True, True))
    second = SuiteRunFactory(version=version, rights=(False, False))
    shown = votes.next_pair(first, second, voter=voter)
    votes.cast(shown.a.pk, shown.b.pk, choice="tie", voter=voter)
    SuiteAnswer.objects.filter(pk__in=(shown.a.pk, shown.b.pk)).update(answer="[erased]")

    assert votes.n_left(first, second, voter=voter) == 1
    assert votes.next_pair(first, second, voter=voter) is not None


def test_an_answer_whose_words_were_erased_is_not_put_to_the_vote(runs):
    SuiteAnswer.objects.filter(run=runs[0], position=0).update(answer="[erased]")
    SuiteAnswer.objects.filter(run=runs[1], position=1).update(answer="[erased]")

    assert [row.position for row in votes.pairs(*runs)] == [3, 5]


# --- One person on both faces -----------------------------------------------------------
ADA = 77


def linked(user) -> None:
    person = Person(role=Role.MEMBER, name="ada", discord_user_id=ADA)
    links.redeem(person=person, code=links.make_code(user))


def open_poll(answer, channel=7) -> SuitePoll:
    return SuitePoll.objects.create(
        first_id=answer.pk,
        second_id=answer.other,
        is_swapped=False,
        discord_channel_id=channel,
        state=SuitePoll.State.OPEN,
        ends_at=now(),
    )


@pytest.mark.parametrize("link_first", [False, True])
def test_whoever_votes_on_the_page_and_in_a_poll_counts_once(runs, link_first):
    grace, answer = UserFactory(), votes.pairs(*runs).first()
    if link_first:
        linked(grace)
    poll = open_poll(answer)
    votes.cast(answer.pk, answer.other, choice="tie", voter=grace)
    if not link_first:
        linked(grace)

    votes.keep_polled(poll, counts={"a": 3}, voters={"a": {ADA, 78, 79}})

    assert votes.tally(*runs) == votes.Tally(n=3, wins=2, losses=0, ties=1, both_bad=0)


def test_a_pair_that_somebody_voted_on_in_a_poll_is_not_put_to_them_on_the_page(runs):
    grace, answer = UserFactory(), votes.pairs(*runs).first()
    linked(grace)

    votes.keep_polled(open_poll(answer), counts={"b": 1}, voters={"b": {ADA}})

    assert votes.tally(*runs, voter=grace).losses == 1
    assert votes.n_left(*runs, voter=grace) == 3
    with pytest.raises(Conflict, match="here or in a poll"):
        votes.cast(answer.pk, answer.other, choice="a", voter=grace)


def test_polls_on_one_pair_in_two_channels_count_one_person_once(runs):
    answer = votes.pairs(*runs).first()
    linked(UserFactory())

    for channel in (7, 8):
        votes.keep_polled(open_poll(answer, channel), counts={"a": 1}, voters={"a": {ADA}})

    assert votes.tally(*runs).n == 1


def test_of_those_who_are_not_linked_nothing_but_a_number_is_kept(runs):
    linked(UserFactory())

    votes.keep_polled(
        open_poll(votes.pairs(*runs).first()), counts={"a": 2}, voters={"a": {78, 79}}
    )

    assert not SuiteVote.objects.filter(voter__isnull=False).exists()
    assert votes.tally(*runs).n == 2


def test_a_vote_of_somebody_erased_on_discord_stays_the_accounts_and_in_no_poll(runs):
    grace, answer = UserFactory(), votes.pairs(*runs).first()
    linked(grace)
    poll = open_poll(answer)
    votes.keep_polled(poll, counts={"a": 1}, voters={"a": {ADA}})
    assert '"choice": "first"' in privacy.export(ADA)

    privacy.erase(ADA, corrections_too=False)

    assert votes.tally(*runs, voter=grace).n == 1
    assert not poll.votes.exists()
