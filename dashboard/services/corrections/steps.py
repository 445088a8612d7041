"""The one way to change a correction: nobody else changed it meanwhile, and what was is kept."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.utils.timezone import now

from dashboard.models import (
    Correction,
    CorrectionStep,
    CorrectionVote,
    DiscordChannel,
    DiscordGuild,
    DiscordUser,
)
from dashboard.services import audit, outbox, people
from dashboard.services.access import Person
from dashboard.services.corrections import votes
from dashboard.services.corrections.finding import get, no_such
from trainerbot.errors import Conflict

TOPIC = "corrections"
State = Correction.State
Actor = User | Person | None

FIELDS = (
    "state",
    "better_answer",
    "review_note",
    "reviewer_id",
    "discord_reviewer_id",
    "reviewed_at",
    "guild_id",
    "channel_id",
    "is_disputed",
    "revision",
)


@dataclass(slots=True)
class Change:
    """A correction that nobody else can change until the transaction ends, and what was before."""

    row: Correction
    actor: Actor
    before: dict[str, Any]
    vote_before: dict[str, Any] | None
    fields: set[str] = field(default_factory=set)

    def set(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self.row, name, value)
            self.fields.add(name)

    def turn_page(self) -> None:
        """Begin a new revision: what people voted on is no longer what there is."""
        self.set(revision=self.row.revision + 1, is_disputed=False)

    def decide(self, state: str, *, note: str = "") -> None:
        user, discord_user = who(self.actor)
        self.set(
            state=state,
            reviewer=user,
            discord_reviewer=discord_user,
            reviewed_at=now(),
            review_note=note,
            is_disputed=False,
            told_at=None,
        )

    def wait(self) -> None:
        """Let it wait for review (again)."""
        self.set(
            state=State.PROPOSED,
            reviewer=None,
            discord_reviewer=None,
            reviewed_at=None,
            review_note="",
            told_at=None,
        )


def begin(correction: Correction, actor: Actor) -> Change:
    """Lock the row of `correction`, if it still is what whoever acts has read.

    In a transaction. Raises Conflict, which says who was faster, and NotFound.
    """
    # SQLite lets one writer in at a time, and PostgreSQL locks the row.
    row = Correction.objects.select_for_update().filter(pk=correction.pk).first()
    if row is None:
        raise no_such()
    if row.state != correction.state:
        raise Conflict(decided(row))
    if row.revision != correction.revision:
        raise Conflict(changed(row))
    mine = votes.vote_of(row, actor)
    kept = (
        {"approves": mine.approves, "note": mine.note, "revision": mine.revision} if mine else None
    )
    return Change(row, actor, _values(row), kept)


def finish(change: Change, verb: str, into: Correction, *, note: str = "") -> None:
    """Write the change with its step, the audit log and the news; `into` shows it."""
    row = change.row
    if change.fields:
        row.save(update_fields=[*change.fields, "updated_at"])
    touch(row)
    user, _ = who(change.actor)
    step = CorrectionStep.objects.create(
        correction=row,
        verb=verb,
        user=user,
        before=change.before | {"vote": change.vote_before},
        after=_values(row),
        note=note,
    )
    audit.record(change.actor, f"correction.{verb}", f"correction {row.pk}", step=step.pk)
    announce(row)
    into.refresh_from_db()


def touch(row: Correction) -> None:
    """Let every process and card see that something about it changed, its votes for one."""
    rows = Correction.objects.filter(pk=row.pk)
    rows.update(updated_at=now())
    rows.filter(card_message_id__isnull=False).update(card_is_stale=True)
    # A card that closed opens again where it waits again.
    rows.filter(card_message_id__isnull=False, state=State.PROPOSED).update(card_is_open=True)


def restore(row: Correction, before: dict[str, Any]) -> None:
    """Put back what a step remembers, under a revision that nobody has read yet.

    Raises Conflict where the place of then is gone.
    """
    values = {name: before[name] for name in FIELDS}
    # Nobody, or somebody who was erased since.
    if not User.objects.filter(pk__in=[before["reviewer_id"]]).exists():
        values["reviewer_id"] = None
    if not DiscordUser.objects.filter(pk__in=[before["discord_reviewer_id"]]).exists():
        values["discord_reviewer_id"] = None
    guild_id, channel_id = before["guild_id"], before["channel_id"]
    if (guild_id and not DiscordGuild.objects.filter(pk=guild_id).exists()) or (
        channel_id and not DiscordChannel.objects.filter(pk=channel_id).exists()
    ):
        raise Conflict("The place where it counted is gone. Choose another one.")
    then, revision = before["revision"], row.revision
    if then != revision:
        revision += 1
        CorrectionVote.objects.filter(correction=row, revision=then).update(revision=revision)
        _renumber(row, then, revision)
    Correction.objects.filter(pk=row.pk).update(**values | {"revision": revision, "told_at": None})
    row.refresh_from_db()


def _renumber(row: Correction, then: int, now_: int) -> None:
    """Let the steps that stand know by which number what they knew goes now.

    Else the next one to be taken back would look for votes under a number
    that none has any more.
    """
    for step in CorrectionStep.objects.filter(correction=row, undone_at=None):
        kept = [step.before, step.after]
        if (vote := step.before.get("vote")) is not None:
            kept.append(vote)
        known = [values for values in kept if values["revision"] == then]
        for values in known:
            values["revision"] = now_
        if known:
            step.save(update_fields=["before", "after"])


def announce(correction: Correction) -> None:
    outbox.publish(TOPIC, "correction.changed", id=correction.pk, state=correction.state)


def waiting(pk: int, *, revision: int | None = None) -> Correction:
    """A correction that nobody has decided on; with the words of `revision`, if it is given.

    Raises Conflict, which says who has decided or changed it, and NotFound.
    """
    correction = get(pk)
    if correction.state != State.PROPOSED:
        raise Conflict(decided(correction))
    if revision is not None and correction.revision != revision:
        raise Conflict(changed(correction))
    return correction


def decided(correction: Correction) -> str:
    """Who decided on a correction, and how, in a sentence."""
    if correction.state == State.PROPOSED:
        return f"Correction #{correction.pk} waits for review again. Look at it anew."
    by = correction.discord_reviewer or correction.reviewer
    how = "put in force" if correction.state == State.APPROVED else "rejected"
    return f"Correction #{correction.pk} was {how}{f' by {by}' if by else ''} already."


def changed(correction: Correction) -> str:
    """Who changed the words or the place of a correction last, in a sentence."""
    step = correction.steps.filter(after__revision=correction.revision).order_by("-pk").first()
    by = f" by {step.user}" if step is not None and step.user else ""
    return f"Correction #{correction.pk} was changed{by} meanwhile. Look at it again."


def who(person: Actor) -> tuple[User | None, DiscordUser | None]:
    """The rows of an actor: an account, a person of Discord, or neither for a command."""
    if isinstance(person, Person):
        return person.user, people.on_discord(person)
    return person, None


def name_of(actor: Actor) -> str:
    if isinstance(actor, Person):
        return actor.name
    return actor.get_username() if actor is not None else "command line"


def _values(row: Correction) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FIELDS}
