"""Votes on a correction: one a person, for the words that they read."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Q

from dashboard.models import Correction, CorrectionVote
from dashboard.services import people
from dashboard.services.access import Person
from dashboard.services.corrections import places


@dataclass(frozen=True, slots=True)
class Tally:
    """How people voted on what a correction says now, and how many must approve it."""

    approving: tuple[str, ...]
    rejecting: tuple[str, ...]
    needed: int

    @property
    def is_disputed(self) -> bool:
        return bool(self.approving and self.rejecting)

    @property
    def in_words(self) -> str:
        """Such as "1 of 2 approved", or "" where one person decides alone."""
        if self.needed == 1 and not self.is_disputed:
            return ""
        n_yes, n_no = len(self.approving), len(self.rejecting)
        if self.is_disputed:
            return f"{n_yes} for it, {n_no} against: an admin decides"
        if n_no:
            return f"{n_no} of {self.needed} rejected"
        return f"{n_yes} of {self.needed} approved"


def tally(correction: Correction) -> Tally:
    """The votes that count now."""
    return tallies([correction])[correction.pk]


def tallies(rows: Sequence[Correction]) -> dict[int, Tally]:
    """The same of several, by their ids, with two queries for all of them."""
    needed = places.reviewers_needed_by(rows)
    revisions = {row.pk: row.revision for row in rows}
    cast_: dict[int, list[tuple[str, bool]]] = {pk: [] for pk in revisions}
    found = CorrectionVote.objects.filter(correction__in=revisions).order_by("voted_at", "pk")
    for pk, revision, name, approves in found.values_list(
        "correction_id", "revision", "name", "approves"
    ):
        if revisions[pk] == revision:
            cast_[pk].append((name, approves))
    return {
        pk: Tally(
            tuple(name for name, approves in each if approves),
            tuple(name for name, approves in each if not approves),
            needed[pk],
        )
        for pk, each in cast_.items()
    }


def vote_of(correction: Correction, actor: User | Person | None) -> CorrectionVote | None:
    """The vote of one person, whichever revision it was for."""
    mine = _of(actor)
    return correction.votes.filter(mine).first() if mine is not None else None


def cast(
    correction: Correction, actor: User | Person | None, *, name: str, approves: bool, note: str
) -> bool:
    """Let `actor` have this vote and no other. False if they have it already.

    Under the lock of the correction. A command has no vote: it decides.
    """
    mine = _of(actor)
    if mine is None:
        return True
    before = correction.votes.filter(mine).first()
    values = {"approves": approves, "note": note, "revision": correction.revision, "name": name}
    if before is None:
        user = actor.user if isinstance(actor, Person) else actor
        discord_user = people.on_discord(actor) if isinstance(actor, Person) else None
        CorrectionVote.objects.create(
            correction=correction, user=user, discord_user=discord_user, **values
        )
        return True
    is_new = any(getattr(before, field) != value for field, value in values.items())
    for field, value in values.items():
        setattr(before, field, value)
    before.save(update_fields=[*values, "voted_at"])
    return is_new


def _of(actor: User | Person | None) -> Q | None:
    if actor is None:
        return None
    if not isinstance(actor, Person):
        return Q(user=actor)
    mine = Q(pk=None)
    if actor.user is not None:
        mine |= Q(user=actor.user)
    if actor.discord_user_id is not None:
        mine |= Q(discord_user__discord_user_id=actor.discord_user_id)
    return mine
