"""Blind votes, and what they say of judges."""

import pytest
from django.utils.timezone import now

from dashboard.models import SuiteAnswer, SuitePoll, SuiteVote
from dashboard.services import suites
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

    assert votes.keep_polled(poll, counts={"a": 2, "b": 1, "tie": 1, "neither": 3})
    assert not votes.keep_polled(poll, counts={"b": 5})
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
