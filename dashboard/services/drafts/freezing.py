"""A draft becomes a version that never changes: its rows are hashed, then it is marked, at once."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Max
from django.utils.timezone import now

from dashboard.models import DatasetVersion, Task
from dashboard.services import audit, storage, tasks
from dashboard.services.access import Person
from dashboard.services.drafts.discarding import DISCARD, has_leftovers, sweep
from dashboard.services.drafts.state import AT_ONCE, FREEZE, announce, lock
from dashboard.services.tasks import Run
from trainerbot.errors import Conflict, InvalidInput
from trainerbot.formats import canonical

MAX_NOTE = 2_000
HASHED_AT_ONCE = 2_000


class Sums(NamedTuple):
    """What the rows of a version come to, as canonical JSON lines."""

    sha256: str
    n_examples: int
    n_bytes: int


def freeze(
    version: DatasetVersion, *, actor: User | Person | None, note: str = ""
) -> DatasetVersion:
    """Freeze a draft here and now; removed rows and the way back are gone for good.

    Takes no time for rows that were never edited, since their hash is known,
    and about 10 s for a million that were. Raises DatasetFrozen for a frozen
    one, InvalidInput for one without rows, Conflict while it is being changed
    and when the newest frozen version has the same rows, split and note.
    """
    note = _clean(note)
    with transaction.atomic():
        draft = lock(version)
        stand = _stand(draft)
    sums = _known_sums(draft) or sum_up(draft)
    with transaction.atomic():
        draft = lock(version)
        if _stand(draft) != stand:
            raise Conflict(f"{draft} was changed while it was being frozen. Freeze it again.")
        _finish(draft, sums, actor=actor, note=note)
        large = draft.n_examples > AT_ONCE and has_leftovers(draft)
        if large:
            tasks.submit(DISCARD, args={"version": draft.pk}, max_attempts=20)
    if not large:
        sweep(draft)
    version.refresh_from_db()
    return version


def start_freezing(version: DatasetVersion, *, actor: User | None, note: str = "") -> Task | None:
    """Freeze a small draft, or one never edited, at once (None); a larger one by a task.

    Until the task is over nothing in the draft changes. Raises as `freeze` does.
    """
    note = _clean(note)
    with transaction.atomic():
        draft = lock(version)
        if draft.n_examples > AT_ONCE and _known_sums(draft) is None:
            args = {"version": draft.pk, "note": note, "actor": actor.pk if actor else None}
            task = tasks.submit(FREEZE, args=args, max_attempts=20)
            announce(draft)
            return task
    freeze(version, actor=actor, note=note)
    return None


@tasks.handler(FREEZE)
def run_freeze(run: Run) -> dict[str, Any]:
    """Freeze a large draft. Nothing is written before the end, so it may begin again any time."""
    draft = DatasetVersion.objects.filter(pk=run.args["version"]).first()
    if draft is None:
        raise Conflict("The draft was discarded.")
    if draft.is_draft:
        run.save(step="adding up")
        sums = sum_up(draft, each_batch=lambda n: run.save(progress=n / max(draft.n_examples, 1)))
        actor = User.objects.filter(pk=run.args["actor"]).first()
        with transaction.atomic():
            run.save(step="freezing")
            _finish(draft, sums, actor=actor, note=run.args["note"])
    sweep(draft)
    return {"version": draft.pk}


def sum_up(version: DatasetVersion, *, each_batch: Callable[[int], None] | None = None) -> Sums:
    """Hash and count the rows of a version, whose memory is that of one batch."""
    digest, n_examples, n_bytes = hashlib.sha256(), 0, 0
    rows = version.examples.kept().order_by("position")
    last = -1
    while True:
        batch = list(
            rows.filter(position__gt=last).values_list("position", "record")[:HASHED_AT_ONCE]
        )
        for _, record in batch:
            line = canonical(record).encode()
            digest.update(line)
            n_bytes += len(line)
        n_examples += len(batch)
        if len(batch) < HASHED_AT_ONCE:
            return Sums(digest.hexdigest(), n_examples, n_bytes)
        last = batch[-1][0]
        if each_batch is not None:
            each_batch(n_examples)


def _known_sums(draft: DatasetVersion) -> Sums | None:
    if not draft.sha256:
        return None
    return Sums(draft.sha256, draft.n_examples, draft.n_bytes)


def _stand(draft: DatasetVersion) -> dict[str, Any]:
    """Something that is equal as long as nobody changed the draft."""
    return draft.edits.aggregate(
        last=Max("pk"), n_undone=Count("undone_at"), last_undone=Max("undone_at")
    )


def _finish(draft: DatasetVersion, sums: Sums, *, actor: User | Person | None, note: str) -> None:
    if not sums.n_examples:
        raise InvalidInput(f"{draft} has no examples. Add some, or discard it.")
    note = note or draft.note
    _refuse_same(draft, sums, note)
    DatasetVersion.objects.filter(pk=draft.pk, frozen_at=None).update(
        sha256=sums.sha256,
        n_examples=sums.n_examples,
        n_bytes=sums.n_bytes,
        note=note,
        frozen_at=now(),
        frozen_by=actor.user if isinstance(actor, Person) else actor,
    )
    draft.refresh_from_db()
    audit.record(
        actor, "dataset.freeze", str(draft), n_examples=sums.n_examples, sha256=sums.sha256
    )
    announce(draft)


def _refuse_same(draft: DatasetVersion, sums: Sums, note: str) -> None:
    """Raise Conflict when freezing would make a second version of the same."""
    newest = (
        DatasetVersion.objects.frozen().filter(dataset=draft.dataset_id).order_by("-number").first()
    )
    if newest is None or newest.sha256 != sums.sha256 or newest.split != draft.split:
        return
    if not note or note == newest.note:
        raise Conflict(
            f"{newest} has the same examples as this draft. Use that one, or discard the draft; "
            "a note makes it a version of its own."
        )


def _clean(note: str) -> str:
    note = note.strip()
    storage.check_text(note, what="The note")
    if len(note) > MAX_NOTE:
        raise InvalidInput(f"A note has {MAX_NOTE:,} characters at most.")
    return note
