"""Which pairs are put to people on Discord, where, and what becomes of them."""

import pytest
from django.utils.timezone import now

from dashboard.models import Suite, SuiteAnswer, SuitePoll, SuiteVote, Task
from dashboard.services import suites
from dashboard.services.suites import polls, votes
from dashboard.services.suites.content import Content
from tests.factories import (
    CorrectionFactory,
    DiscordChannelFactory,
    DiscordGuildFactory,
    SuiteFactory,
    SuiteRunFactory,
    UserFactory,
    suite_version,
)
from trainerbot.errors import Conflict, InvalidInput, NotAllowed, NotFound

pytestmark = pytest.mark.django_db
State = SuitePoll.State


@pytest.fixture
def admin():
    return UserFactory(admin=True)


@pytest.fixture
def runs():
    version = suite_version(n_cases=6)
    return (
        SuiteRunFactory(version=version, rights=(True, True, True, False, None, True)),
        SuiteRunFactory(version=version, rights=(False, False, True, True, None, False)),
    )


@pytest.fixture
def channel():
    return DiscordChannelFactory()


def ask(runs, channel, admin, **given):
    chosen = {"hours": 4, "n": 10, "only": polls.CLEAR} | given
    return polls.ask(*runs, channel_id=channel.pk, actor=admin, **chosen)


def opened(poll: SuitePoll) -> SuitePoll:
    assert polls.posted(poll.pk, message_id=700 + poll.pk, ends_at=now())
    poll.refresh_from_db()
    return poll


def test_what_one_model_alone_gets_right_is_asked_once_in_a_channel(runs, channel, admin):
    first = ask(runs, channel, admin, n=3)
    rest = ask(runs, channel, admin)

    assert [poll.first.position for poll in first] == [0, 1, 3]
    assert [poll.first.position for poll in rest] == [5]
    with pytest.raises(InvalidInput, match="nothing to ask"):
        ask(runs, channel, admin)
    assert len(ask(runs, DiscordChannelFactory(), admin)) == 4
    assert Task.objects.filter(kind=polls.POST).count() == 8


def test_a_poll_that_failed_may_be_asked_again(runs, channel, admin):
    [poll] = ask(runs, channel, admin, n=1)
    polls.failed(poll.pk, "The bot may not post polls there.")

    [again] = ask(runs, channel, admin, n=1)

    assert again.first == poll.first


def test_only_an_admin_may_carry_questions_to_discord(runs, channel):
    with pytest.raises(NotAllowed):
        ask(runs, channel, UserFactory(trainer=True))
    assert not SuitePoll.objects.exists()


@pytest.mark.parametrize("given", [{"n": 0}, {"n": 11}, {"hours": 5}])
def test_numbers_out_of_range_are_refused(runs, channel, admin, given):
    with pytest.raises(InvalidInput):
        ask(runs, channel, admin, **given)


def test_a_channel_that_is_gone_or_direct_is_not_there(runs, admin):
    for channel in (DiscordChannelFactory(gone_at=now()), DiscordChannelFactory(direct=True)):
        with pytest.raises(NotFound):
            ask(runs, channel, admin)


def test_what_belongs_to_one_server_is_asked_nowhere_else(admin):
    home = DiscordGuildFactory()
    suite = SuiteFactory(kind=Suite.Kind.CORRECTIONS, guild=home)
    version = suite_version(suite=suite)
    runs = [SuiteRunFactory(version=version, rights=[is_right] * 4) for is_right in (True, False)]

    with pytest.raises(InvalidInput, match="alone"):
        ask(runs, DiscordChannelFactory(), admin)
    assert len(ask(runs, DiscordChannelFactory(guild=home), admin)) == 4


def test_what_fits_no_message_or_goes_on_from_something_is_left_out(channel, admin):
    version = suite_version(
        Content(question="x" * 5_000, expected="Long."),
        Content(question="And then?", expected="So.", history=[{"role": "user", "content": "Hm"}]),
        Content(question="\n" * 90 + "?", expected="Many lines."),
        Content(question="Short?", expected="Yes."),
    )
    runs = [SuiteRunFactory(version=version, rights=[is_right] * 4) for is_right in (True, False)]

    [poll] = ask(runs, channel, admin)

    assert poll.first.case.question == "Short?"


def test_sides_are_the_same_for_all_in_a_channel_and_others_elsewhere(runs, admin):
    sides = {ask(runs, DiscordChannelFactory(), admin, n=1)[0].is_swapped for _ in range(20)}

    assert sides == {True, False}


def test_what_is_posted_shows_the_sides_as_they_are_counted(runs, channel, admin):
    [poll] = ask(runs, channel, admin, n=1)
    posting = polls.to_post(poll.pk)
    right = "a" if posting.a == "Answer number 0." else "b"

    votes.keep_polled(opened(poll), counts={right: 3}, voters={})

    assert votes.tally(*runs).wins == 3
    assert polls.to_post(poll.pk) is None
    assert polls.to_count(poll.pk) is None


def test_a_poll_is_counted_when_its_time_is_over_or_somebody_ends_it(runs, channel, admin):
    poll = opened(ask(runs, channel, admin, n=1)[0])
    assert Task.objects.get(kind=polls.COUNT).run_at > poll.ends_at

    polls.end_now(poll.pk, actor=admin)

    assert Task.objects.filter(kind=polls.COUNT, args__end=True).count() == 1
    with pytest.raises(NotAllowed):
        polls.end_now(poll.pk, actor=UserFactory(trainer=True))
    votes.keep_polled(poll, counts={}, voters={})
    with pytest.raises(Conflict, match="not open"):
        polls.end_now(poll.pk, actor=admin)


def test_posting_told_twice_counts_once(runs, channel, admin):
    poll = opened(ask(runs, channel, admin, n=1)[0])

    assert polls.posted(poll.pk, message_id=poll.discord_message_id, ends_at=now())
    assert Task.objects.filter(kind=polls.COUNT).count() == 1


def test_words_erased_while_a_poll_is_on_its_way_are_taken_off_again(channel, admin):
    correction = CorrectionFactory(approved=True)
    version = suites.corrections_suite()
    runs = [SuiteRunFactory(version=version, rights=[is_right]) for is_right in (True, False)]
    [poll] = ask(runs, channel, admin)
    assert polls.to_post(poll.pk) is not None

    suites.erase([correction.pk])

    assert not polls.posted(poll.pk, message_id=7, ends_at=now())
    assert Task.objects.filter(kind=polls.DROP).count() == 1
    assert polls.message_of(poll.pk) == (channel.discord_channel_id, 7)


def test_an_answer_that_had_read_what_is_erased_is_taken_off_as_well(runs, channel, admin):
    correction = CorrectionFactory(approved=True)
    first, other = ask(runs, channel, admin, n=2)
    waiting, shown = ask(runs, DiscordChannelFactory(), admin, n=2)
    SuiteAnswer.objects.filter(pk__in=(first.second_id,)).update(example_ids=[correction.pk])
    for poll in (first, other, shown):
        opened(poll)

    suites.erase([correction.pk])

    states = {row.pk: row.state for row in SuitePoll.objects.all()}
    assert (states[first.pk], states[waiting.pk]) == (State.FAILED, State.FAILED)
    assert (states[other.pk], states[shown.pk]) == (State.OPEN, State.OPEN)
    assert [task.args for task in Task.objects.filter(kind=polls.DROP)] == [{"poll": first.pk}]


def test_votes_stay_when_words_are_erased(channel, admin):
    correction = CorrectionFactory(approved=True)
    version = suites.corrections_suite()
    runs = [SuiteRunFactory(version=version, rights=[is_right]) for is_right in (True, False)]
    poll = opened(ask(runs, channel, admin)[0])
    votes.keep_polled(poll, counts={"tie": 2}, voters={})

    suites.erase([correction.pk])

    assert SuiteVote.objects.count() == 2
    assert Task.objects.filter(kind=polls.DROP).count() == 1


def test_how_polls_stand_is_told_from_either_side(runs, channel, admin):
    poll = opened(ask(runs, channel, admin, n=1)[0])
    votes.keep_polled(poll, counts={"a": 1, "neither": 1}, voters={})

    for pair in (runs, runs[::-1]):
        [told] = polls.of(*pair)
        assert (told.poll, told.channel, told.n) == (poll, channel.name, 2)
