"""Reviewing: approve, reject, edit, move. With several reviewers, each has a vote."""

from django.db import transaction

from dashboard.models import Correction, DiscordChannel, DiscordGuild
from dashboard.services import access, people, storage
from dashboard.services.access import Person, Role
from dashboard.services.corrections import places, votes
from dashboard.services.corrections.places import Place
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
LINK_FIRST = (
    "Several people review here, and only those whose account on the dashboard is known. "
    "Open Account on the dashboard, make a code, and give it to me by `/link`."
)


@transaction.atomic
def approve(
    *,
    correction: Correction,
    reviewer: Actor,
    better_answer: str | None = None,
    place: Place | None = None,
) -> Correction:
    """Vote for a correction, with the reviewer's own words and place if they are given.

    It is in force as soon as as many people approve these words as its server
    wants and nobody rejects them; where some do, an admin decides. Votes for
    other words than these do not count. Raises Conflict when somebody else
    changed it in the meantime.
    """
    change = begin(correction, reviewer)
    row = change.row
    if row.state == State.APPROVED:
        raise Conflict(decided(row))
    was_disputed, needed = row.is_disputed, places.reviewers_needed(row)
    _revise(change, better_answer, place)
    needed = max(needed, places.reviewers_needed(row))
    if row.state == State.REJECTED and not _decides(reviewer, needed, was_disputed):
        change.turn_page()
        change.wait()
    _vote(change, needed, approves=True, was_disputed=was_disputed)
    finish(change, "approve" if row.state == State.APPROVED else "vote_for", correction)
    return correction


@transaction.atomic
def reject(*, correction: Correction, reviewer: Actor, note: str = "") -> Correction:
    """Vote against a proposal, or take a correction out of force, for which one person is enough.

    Raises Conflict when somebody else changed it in the meantime, and InvalidInput
    for a note that no database holds.
    """
    storage.check_text(note, what="The reason")
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
def edit(
    *, correction: Correction, better_answer: str, editor: Actor, place: Place | None = None
) -> Correction:
    """Change the words of a correction, and where it counts if a place is given.

    It stays what it is, unless it is in force where several must approve: then
    other words or a wider place wait for the others, and the editor's vote is for them.
    """
    return _changed(correction, editor, "edit", better_answer, place)


@transaction.atomic
def move(
    *,
    correction: Correction,
    guild: DiscordGuild | None = None,
    channel: DiscordChannel | None = None,
    editor: Actor,
) -> Correction:
    """Say where alone a correction counts: in a guild, in a channel, or with neither everywhere.

    As with `edit`, a wider place may have to wait. Raises NotAllowed for whoever
    may not carry it off its server.
    """
    return _changed(correction, editor, "move", None, (guild, channel))


def _changed(
    correction: Correction,
    editor: Actor,
    verb: str,
    better_answer: str | None,
    place: Place | None,
) -> Correction:
    change = begin(correction, editor)
    row = change.row
    needed = places.reviewers_needed(row)
    needs_review = _revise(change, better_answer, place)
    if not change.fields:
        return correction
    needed = max(needed, places.reviewers_needed(row))
    is_free = _is_admin(editor) or needed == 1
    if needs_review and row.state == State.APPROVED and not is_free:
        change.wait()
        if not _is_author(editor, row):
            votes.cast(row, editor, name=name_of(editor), approves=True, note="")
    finish(change, verb, correction)
    return correction


def _revise(change: Change, better_answer: str | None, place: Place | None) -> bool:
    """Give it other words and another place, where they are; whether that is more than a part."""
    row = change.row
    old = row.guild, row.channel
    if better_answer is not None:
        check_answer(better_answer)
    is_other = better_answer is not None and better_answer != row.better_answer
    new = old
    if place is not None and place != old:
        belongs_to = row.guild or places.home_of(row.message)
        new = places.check_place(change.actor, belongs_to, guild=place[0], channel=place[1])
    if not is_other and new == old:
        return False
    change.turn_page()
    change.set(told_at=None, guild=new[0], channel=new[1])
    if better_answer is not None:
        change.set(better_answer=better_answer)
    return is_other or not places.is_within(new, old)


def _vote(
    change: Change, needed: int, *, approves: bool, was_disputed: bool, note: str = ""
) -> None:
    row, actor = change.row, change.actor
    if places.wishes([row])[row.pk].linked_only and _is_unknown(actor):
        raise NotAllowed(LINK_FIRST)
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


def _is_unknown(actor: Actor) -> bool:
    """Whether nobody knows which account on the dashboard they have; one that was shut is none."""
    if not isinstance(actor, Person):
        return False
    user = people.identity(actor).user
    return user is None or not user.is_active


def _is_author(actor: Actor, row: Correction) -> bool:
    if actor is None:
        return False
    who = people.identity(actor)
    return (who.user is not None and who.user == row.author) or (
        who.discord_user is not None and who.discord_user == row.discord_author
    )
