"""Votes on a correction: one a person, on whichever face, for the words that they read."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from dashboard.models import Correction, CorrectionVote
from dashboard.services import people
from dashboard.services.access import Person
from dashboard.services.corrections import places

# The last of these counts, where there are several of one person. A vote for newer
# words is the later one also where an older one was put back since.
LATEST_LAST = ("revision", "voted_at", "pk")


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
    wishes = places.wishes(rows)
    revisions = {row.pk: row.revision for row in rows}
    cast_: dict[int, dict[str, tuple[str, bool]]] = {pk: {} for pk in revisions}
    found = CorrectionVote.objects.filter(correction__in=revisions).order_by("voted_at", "pk")
    for pk, vote, revision, name, approves, has_account, *links in found.values_list(
        "correction_id",
        "pk",
        "revision",
        "name",
        "approves",
        "user__is_active",
        "user__discord_link",
        "discord_user__account_link",
    ):
        link: int | None = next(filter(None, links), None)
        is_heard = has_account or not wishes[pk].linked_only
        if revisions[pk] == revision and is_heard:
            voter = f"vote {vote}" if link is None else f"link {link}"
            cast_[pk][voter] = (name, approves)
    return {
        pk: Tally(
            tuple(name for name, approves in each.values() if approves),
            tuple(name for name, approves in each.values() if not approves),
            wishes[pk].reviewers_needed,
        )
        for pk, each in cast_.items()
    }


def vote_of(correction: Correction, actor: User | Person | None) -> CorrectionVote | None:
    """The vote of one person, whichever revision it was for."""
    if actor is None:
        return None
    return _of(correction, people.identity(actor)).last()


def cast(
    correction: Correction, actor: User | Person | None, *, name: str, approves: bool, note: str
) -> bool:
    """Let `actor` have this vote and no other. False if they have it already.

    It is theirs on both faces, and stays so, where they are linked. Under the
    lock of the correction. A command has no vote: it decides.
    """
    if actor is None:
        return True
    who = people.identity(actor)
    votes = _of(correction, who)
    before = votes.last()
    discord_user = who.discord_user
    if discord_user is None and isinstance(actor, Person):
        discord_user = people.on_discord(actor)
    said = {"approves": approves, "note": note, "revision": correction.revision}
    values = said | {"name": name, "user": who.user, "discord_user": discord_user}
    if before is None:
        CorrectionVote.objects.create(correction=correction, **values)
        return True
    votes.exclude(pk=before.pk).delete()
    is_new = any(getattr(before, field) != value for field, value in said.items())
    for field, value in values.items():
        setattr(before, field, value)
    before.save(update_fields=[*values, "voted_at"])
    return is_new


def _of(correction: Correction, who: people.Identity) -> QuerySet[CorrectionVote]:
    """The votes of a person, the one that counts last."""
    mine = Q(pk__in=[])
    if who.user is not None:
        mine |= Q(user=who.user)
    if who.discord_user is not None:
        mine |= Q(discord_user=who.discord_user)
    return correction.votes.filter(mine).order_by(*LATEST_LAST)
