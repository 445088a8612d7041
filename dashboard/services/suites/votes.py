"""Blind votes: two answers to one case, sides shuffled for each voter; and how judges fare by them."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from dashboard.models import DiscordLink, SuiteAnswer, SuitePoll, SuiteRun, SuiteVote
from dashboard.services import audit, outbox
from dashboard.services.suites.content import ERASED
from dashboard.services.suites.news import TOPIC
from trainerbot.errors import Conflict, InvalidInput, NotFound
from trainerbot.judging.statistics import Agreement, agreement

Choice = SuiteVote.Choice
SIDES: Final = {"a": True, "b": False}
NEAR: Final = 0.05
"""Scores that differ by no more are the same to a judge."""

READ_AT_ONCE: Final = 200
MOST_POLLED: Final = 10_000  # votes of one choice in one poll


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one case as one voter sees them. `a` and `b` are in the voter's order."""

    a: SuiteAnswer
    b: SuiteAnswer

    @property
    def case_question(self) -> str:
        return self.a.case.question


@dataclass(frozen=True, slots=True)
class Tally:
    """What people said of two runs, votes counted: `wins` are the first run's."""

    n: int
    wins: int
    losses: int
    ties: int
    both_bad: int


def pairs(run_a: SuiteRun, run_b: SuiteRun) -> QuerySet[SuiteAnswer]:
    """The answers of `run_a` that `run_b` gave otherwise, in the order of the cases.

    Each with `other`, the id of that answer. Equal answers need no vote, and
    refused and erased ones are none. Raises InvalidInput for runs of different versions.
    """
    if run_a.version_id != run_b.version_id or run_a.pk == run_b.pk:
        raise InvalidInput("Choose two runs of the same version of a suite.")
    whole = SuiteAnswer.objects.filter(error="").exclude(answer=ERASED)
    theirs = whole.filter(run=run_b, position=OuterRef("position")).exclude(
        answer=OuterRef("answer")
    )
    rows = whole.filter(run=run_a).filter(Exists(theirs))
    return rows.annotate(other=theirs.values("pk")[:1]).order_by("position")


def next_pair(run_a: SuiteRun, run_b: SuiteRun, *, voter: User) -> Pair | None:
    """The first pair that `voter` has not voted on; None when there is none left."""
    found = _left(run_a, run_b, voter=voter).annotate(theirs=F("other"))
    ids = found.values_list("pk", "theirs").first()
    return None if ids is None else pair(*ids, key=f"user {voter.pk}")


def n_left(run_a: SuiteRun, run_b: SuiteRun, *, voter: User) -> int:
    """How many pairs `voter` has not voted on."""
    return _left(run_a, run_b, voter=voter).count()


def _left(run_a: SuiteRun, run_b: SuiteRun, *, voter: User) -> QuerySet[Any]:
    rows: QuerySet[Any] = pairs(run_a, run_b)
    mine = SuiteVote.objects.filter(voter=voter)
    as_first = mine.filter(first=OuterRef("pk"), second=OuterRef("other"))
    as_second = mine.filter(second=OuterRef("pk"), first=OuterRef("other"))
    return rows.exclude(Exists(as_first)).exclude(Exists(as_second))


def pair(one: int, other: int, *, key: str) -> Pair:
    """Two answers as whoever has this `key` sees them: each voter has a side of their own.

    Raises NotFound unless both answer the same case in different runs.
    """
    rows = SuiteAnswer.objects.select_related("case", "run__version__suite")
    found = list(rows.filter(pk__in=(one, other)).order_by("pk"))
    if len(found) != 2 or found[0].case_id != found[1].case_id:
        raise NotFound("There is no such pair of answers.")
    if found[0].run_id == found[1].run_id:
        raise NotFound("There is no such pair of answers.")
    first, second = found
    return Pair(second, first) if is_swapped(first.pk, second.pk, key) else Pair(first, second)


def is_swapped(first: int, second: int, key: str) -> bool:
    """Whether the second answer stands on the left for whoever has this `key`."""
    digest = hashlib.sha256(f"{first} {second} {key}".encode()).digest()
    return bool(digest[0] & 1)


def cast(one: int, other: int, *, choice: str, voter: User) -> tuple[SuiteVote, Pair]:
    """Keep a vote: "a" or "b", as the voter's sides are, "tie" or "neither".

    Returns the pair, whose runs may be named now. Raises Conflict for a second
    vote on the same pair, and InvalidInput for what is no choice.
    """
    shown = pair(one, other, key=f"user {voter.pk}")
    vote = _keep(shown, choice, voter=voter)
    audit.record(voter, "suitevote.cast", f"answers {vote.first_id} and {vote.second_id}")
    return vote, shown


@transaction.atomic
def keep_polled(
    poll: SuitePoll, *, counts: Mapping[str, int], voters: Mapping[str, Collection[int]]
) -> bool:
    """Close a poll with how many chose what; False where it was closed before.

    counts: for "a" and "b", as the poll showed them, "tie" and "neither".
    voters: who chose it, by Discord's ids. Kept is only who has linked their
    account, in the account's name; a vote that it has on this pair already stands.
    """
    still_open = SuitePoll.objects.filter(pk=poll.pk, state=SuitePoll.State.OPEN)
    if not still_open.update(state=SuitePoll.State.CLOSED):
        return False
    first, second = poll.first, poll.second
    shown = Pair(second, first) if poll.is_swapped else Pair(first, second)
    named = _named(voters)
    rows = [
        SuiteVote(first=first, second=second, choice=_choice(shown, said), poll=poll, voter_id=user)
        for said, users in named.items()
        for user in users
    ]
    # A vote that they gave on the page, even at this moment, is the one that counts.
    SuiteVote.objects.bulk_create(rows, ignore_conflicts=True)
    SuiteVote.objects.bulk_create(
        SuiteVote(first=first, second=second, choice=_choice(shown, said), poll=poll)
        for said, n in counts.items()
        for _ in range(min(n, MOST_POLLED) - len(named.get(said, ())))
    )
    outbox.publish(TOPIC, "suitepoll.closed", id=poll.pk)
    return True


def tally(run_a: SuiteRun, run_b: SuiteRun, *, voter: User | None = None) -> Tally:
    """What people, or one of them, said of two runs."""
    votes = SuiteVote.objects.all() if voter is None else SuiteVote.objects.filter(voter=voter)
    straight = votes.filter(first__run=run_a, second__run=run_b).values_list("choice", flat=True)
    turned = votes.filter(first__run=run_b, second__run=run_a).values_list("choice", flat=True)
    counts = Counter(straight)
    other_way = Counter(turned)
    wins = counts[Choice.FIRST] + other_way[Choice.SECOND]
    losses = counts[Choice.SECOND] + other_way[Choice.FIRST]
    ties = counts[Choice.TIE] + other_way[Choice.TIE]
    bad = counts[Choice.NEITHER] + other_way[Choice.NEITHER]
    return Tally(wins + losses + ties + bad, wins, losses, ties, bad)


def agreements(run: SuiteRun) -> dict[str, Agreement]:
    """For each judge of this run, how far it agrees with people, over all votes on its verdicts.

    Of a pair that a judge scored alike it says "tie" where both are right and
    "both bad" where both are wrong, as people may; else the higher is better.
    """
    told = SuiteVote.objects.filter(
        first__judged_by=F("second__judged_by"),
        first__judged_by__in=run.answers.values("judged_by").distinct(),
        first__is_right__isnull=False,
        second__is_right__isnull=False,
    ).select_related("first", "second")
    ours: dict[str, list[str]] = {}
    theirs: dict[str, list[str]] = {}
    for vote in told.iterator(chunk_size=READ_AT_ONCE):
        ours.setdefault(vote.first.judged_by, []).append(_verdict(vote.first, vote.second))
        theirs.setdefault(vote.first.judged_by, []).append(vote.choice)
    return {judge: agreement(ours[judge], theirs[judge]) for judge in sorted(ours)}


def _named(voters: Mapping[str, Collection[int]]) -> dict[str, set[int]]:
    """The accounts, by their ids, of those voters who have linked one, by what they chose."""
    if not any(voters.values()):
        return {}
    accounts = dict(DiscordLink.objects.values_list("discord_user__discord_user_id", "user_id"))
    return {
        said: {accounts[each] for each in ids if each in accounts} for said, ids in voters.items()
    }


def _verdict(first: SuiteAnswer, second: SuiteAnswer) -> str:
    if first.is_right != second.is_right:
        return Choice.FIRST if first.is_right else Choice.SECOND
    difference = (first.score or 0.0) - (second.score or 0.0)
    if abs(difference) > NEAR:
        return Choice.FIRST if difference > 0 else Choice.SECOND
    return Choice.TIE if first.is_right else Choice.NEITHER


def _keep(shown: Pair, choice: str, *, voter: User) -> SuiteVote:
    choice = _choice(shown, choice)
    first, second = sorted((shown.a, shown.b), key=lambda each: each.pk)
    try:
        with transaction.atomic():
            vote = SuiteVote.objects.create(first=first, second=second, choice=choice, voter=voter)
            outbox.publish(TOPIC, "suitevote.cast", id=vote.pk)
            return vote
    except IntegrityError as error:
        raise Conflict(
            "There is a vote of yours on this pair already, here or in a poll."
        ) from error


def _choice(shown: Pair, said: str) -> str:
    """Which answer is meant by what was said of the sides."""
    if said in SIDES:
        better, other = (shown.a, shown.b) if SIDES[said] else (shown.b, shown.a)
        return Choice.FIRST if better.pk < other.pk else Choice.SECOND
    if said in (Choice.TIE, Choice.NEITHER):
        return said
    raise InvalidInput("Choose A, B, a tie, or neither.")
