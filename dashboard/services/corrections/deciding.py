"""Reviewing: approve, reject, edit, move. With several reviewers, each has a vote."""

from django.db import transaction

from dashboard.models import Correction, DiscordChannel, DiscordGuild
from dashboard.services import access
from dashboard.services.access import Person, Role
from dashboard.services.corrections import places, votes
from dashboard.services.corrections.proposing import check_answer
from dashboard.services.corrections.steps import (
    Actor,
    Change,
    State,
    begin,
    decided,
    finish,
    name_of,
)
from trainerbot.errors import Conflict, NotAllowed

OWN_WORDS = (
    "You wrote correction #{pk}, so your word does not count as its review. "
    "Somebody else must look at it."
)


@transaction.atomic
def approve(
    *, correction: Correction, reviewer: Actor, better_answer: str | None = None
) -> Correction:
    """Vote for a correction, with the reviewer's own words if `better_answer` is given.

    It is in force as soon as as many people approve these words as its server
    wants and nobody rejects them; where some do, an admin decides. Votes for
    other words than these do not count. Raises Conflict when somebody else
    changed it in the meantime.
    """
    if better_answer is not None:
        check_answer(better_answer)
    change = begin(correction, reviewer)
    row = change.row
    if row.state == State.APPROVED:
        raise Conflict(decided(row))
    was_disputed = row.is_disputed
    if better_answer is not None and better_answer != row.better_answer:
        change.turn_page()
        change.set(better_answer=better_answer)
    needed = places.reviewers_needed(row)
    if row.state == State.REJECTED and not _decides(reviewer, needed, was_disputed):
        change.turn_page()
        change.wait()
    _vote(change, needed, approves=True, was_disputed=was_disputed)
    finish(change, "approve" if row.state == State.APPROVED else "vote_for", correction)
    return correction


@transaction.atomic
def reject(*, correction: Correction, reviewer: Actor, note: str = "") -> Correction:
    """Vote against a proposal, or take a correction out of force, for which one person is enough.

    Raises Conflict when somebody else changed it in the meantime.
    """
    change = begin(correction, reviewer)
    row = change.row
    if row.state == State.REJECTED:
        raise Conflict(decided(row))
    if row.state == State.APPROVED:
        change.decide(State.REJECTED, note=note)
    else:
        needed = places.reviewers_needed(row)
        _vote(change, needed, approves=False, was_disputed=row.is_disputed, note=note)
    verb = "reject" if row.state == State.REJECTED else "vote_against"
    finish(change, verb, correction, note=note)
    return correction


@transaction.atomic
def edit(*, correction: Correction, better_answer: str, editor: Actor) -> Correction:
    """Change the words of a correction.

    It stays what it is, unless it is in force where several must approve: then
    the new words wait for the others, and the editor's vote is for them.
    """
    check_answer(better_answer)
    change = begin(correction, editor)
    if better_answer == change.row.better_answer:
        return correction
    change.turn_page()
    change.set(better_answer=better_answer, told_at=None)
    _ask_again(change)
    finish(change, "edit", correction)
    return correction


@transaction.atomic
def move(
    *,
    correction: Correction,
    guild: DiscordGuild | None = None,
    channel: DiscordChannel | None = None,
    editor: Actor,
) -> Correction:
    """Say where alone a correction counts: in a guild, in a channel, or with neither everywhere.

    Where several must approve, one that is in force waits for the others again
    unless the new place is a part of the old one. Raises NotAllowed for whoever
    may not carry it off its server.
    """
    change = begin(correction, editor)
    row = change.row
    old = row.guild, row.channel
    new = places.check_place(
        editor, row.guild or places.home_of(row.message), guild=guild, channel=channel
    )
    if new == old:
        return correction
    needed = places.reviewers_needed(row)
    change.turn_page()
    change.set(guild=new[0], channel=new[1], told_at=None)
    if not places.is_within(new, old):
        _ask_again(change, needed=needed)
    finish(change, "move", correction)
    return correction


def _ask_again(change: Change, *, needed: int = 1) -> None:
    """Where several must approve what is in force, let its new words or place wait for them."""
    row = change.row
    needed = max(needed, places.reviewers_needed(row))
    if row.state != State.APPROVED or _decides(change.actor, needed, was_disputed=False):
        return
    if _is_admin(change.actor):
        return
    change.wait()
    if not _is_author(change.actor, row):
        votes.cast(row, change.actor, name=name_of(change.actor), approves=True, note="")


def _vote(
    change: Change, needed: int, *, approves: bool, was_disputed: bool, note: str = ""
) -> None:
    row, actor = change.row, change.actor
    alone = _decides(actor, needed, was_disputed)
    if not alone and _is_author(actor, row) and not _is_admin(actor):
        raise NotAllowed(OWN_WORDS.format(pk=row.pk))
    is_new = votes.cast(row, actor, name=name_of(actor), approves=approves, note=note)
    found = votes.tally(row)
    n_yes, n_no = len(found.approving), len(found.rejecting)
    if alone or (approves and n_yes >= needed and not n_no):
        change.decide(State.APPROVED if approves else State.REJECTED, note=note)
    elif not approves and n_no >= needed and not n_yes:
        change.decide(State.REJECTED, note=note)
    elif not is_new:
        raise Conflict(f"That was your vote already: {found.in_words}.")
    elif row.is_disputed != found.is_disputed:
        change.set(is_disputed=found.is_disputed)


def _decides(actor: Actor, needed: int, was_disputed: bool) -> bool:
    """Whether one person's word is enough: alone at the post, a command, an admin in a dispute."""
    return needed == 1 or actor is None or (was_disputed and _is_admin(actor))


def _is_admin(actor: Actor) -> bool:
    return actor is None or access.role_of(actor) is Role.ADMIN


def _is_author(actor: Actor, row: Correction) -> bool:
    if isinstance(actor, Person):
        author = row.discord_author
        is_theirs = author is not None and author.discord_user_id == actor.discord_user_id
        return is_theirs or (actor.user is not None and actor.user == row.author)
    return actor is not None and actor == row.author
