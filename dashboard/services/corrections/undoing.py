"""Taking back what one did last."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import now

from dashboard.models import Correction, CorrectionStep
from dashboard.services import audit
from dashboard.services.corrections import votes
from dashboard.services.corrections.steps import announce, changed, name_of, restore, touch
from trainerbot.errors import Conflict, NotFound

FOR = timedelta(hours=1)
NOTHING = "You have decided nothing in the last hour that could be taken back."


def undoable(user: User) -> CorrectionStep | None:
    """What `user` did last, within the hour: later, people have built on it."""
    steps = CorrectionStep.objects.filter(
        user=user, undone_at=None, created_at__gte=now() - FOR
    ).select_related("correction")
    return steps.order_by("-pk").first()


@transaction.atomic
def undo(*, user: User, step: int | None = None) -> Correction:
    """Take back what `user` did last: state, words, place and their vote are as before.

    step: which step they mean, if they know. Raises Conflict when somebody
    changed the correction since, or did something else last, and NotFound when there is nothing.
    """
    last = undoable(user)
    if last is None:
        raise NotFound(NOTHING)
    if step is not None and step != last.pk:
        raise Conflict("You have done something else since. Look at it again.")
    row = Correction.objects.select_for_update().get(pk=last.correction_id)
    # Read anew under the lock: what others took back meanwhile has numbered it otherwise.
    last = row.steps.filter(pk=last.pk, undone_at=None).first()
    if last is None:
        raise Conflict("It is taken back already.")
    if row.steps.filter(pk__gt=last.pk, undone_at=None).exists():
        raise Conflict(changed(row))
    last.undone_at = now()
    last.save(update_fields=["undone_at"])
    restore(row, last.before)
    _restore_vote(row, user, last)
    touch(row)
    audit.record(user, "correction.undo", f"correction {row.pk}", step=last.pk, of=last.verb)
    announce(row)
    row.refresh_from_db()
    return row


def _restore_vote(row: Correction, user: User, step: CorrectionStep) -> None:
    vote = step.before.get("vote")
    mine = votes.vote_of(row, user)
    if vote is None:
        if mine is not None:
            mine.delete()
        return
    # What was voted on then has a new number now.
    revision = row.revision if vote["revision"] == step.before["revision"] else vote["revision"]
    if mine is None:
        votes.cast(row, user, name=name_of(user), approves=vote["approves"], note=vote["note"])
        mine = votes.vote_of(row, user)
        assert mine is not None  # just cast
    mine.approves, mine.note, mine.revision = vote["approves"], vote["note"], revision
    mine.save(update_fields=["approves", "note", "revision", "voted_at"])
