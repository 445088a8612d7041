"""One edit from its beginning to its end: at once when it is short, else as the task `edit-draft`.

How far a long one is stands in the edit itself, written in the transaction
of the rows it changed; whoever runs its task next goes on there.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.db import OperationalError, transaction
from django.utils.timezone import now

from dashboard.models import DatasetEdit, DatasetVersion, Task
from dashboard.services import audit, examination, tasks
from dashboard.services.drafts import rows
from dashboard.services.drafts.acts import act_of
from dashboard.services.drafts.state import announce, lock
from dashboard.services.tasks import Run
from trainerbot.errors import Conflict, InvalidInput, TrainerBotError
from trainerbot.formats.rows import Kind

EDIT = "edit-draft"
LONG = 5_000
"""Rows beyond which an edit is a task, so that others can write in between."""

RESTORED_AT_ONCE = 1_000
REMEMBERED = ("record", "provenance", "position", "as_beginning")
APPLY, UNDO, REVERT = "apply", "undo", "revert"


def perform(
    version: DatasetVersion,
    verb: str,
    args: dict[str, Any],
    *,
    actor: User | None,
    is_long: Callable[[DatasetVersion], bool] = lambda draft: False,
    check: Callable[[DatasetVersion], dict[str, Any]] = lambda draft: {},
) -> DatasetEdit:
    """Do something to a draft; the edit, which is not done yet where it takes long.

    check: called with the locked draft; raises what forbids the edit, or
    returns what else the edit has to remember. Raises DatasetFrozen, Conflict
    while another edit runs, InvalidInput where nothing would change.
    """
    with transaction.atomic():
        draft = lock(version)
        remembered = check(draft)
        edit = DatasetEdit.objects.create(
            version=draft, verb=verb, args=args, created_by=actor, is_done=False
        )
        start(draft, edit, **remembered)
        if is_long(draft):
            queue(edit)
            announce(draft)
        else:
            _apply_all(draft, edit)
    version.refresh_from_db()
    return edit


def start(draft: DatasetVersion, edit: DatasetEdit, **remembered: Any) -> None:
    """Make an edit ready to be applied from the first row on."""
    edit.state = {
        **remembered,
        "doing": APPLY,
        "cursor": -1,
        "n_examples": 0,
        "n_bytes": 0,
        "was": {
            "n_examples": draft.n_examples,
            "n_bytes": draft.n_bytes,
            "sha256": draft.sha256,
            "split": draft.split,
        },
    }
    edit.n_rows, edit.is_done, edit.undone_at = 0, False, None
    edit.save(update_fields=["state", "n_rows", "is_done", "undone_at"])


def queue(edit: DatasetEdit) -> Task:
    args = {"edit": edit.pk, "version": edit.version_id}
    return tasks.submit(EDIT, args=args, max_attempts=20)


def edit_task(edit: DatasetEdit) -> Task | None:
    """The task that works on `edit`, if it is not over."""
    return Task.objects.unfinished().filter(kind=EDIT, args__edit=edit.pk).first()


def undo(version: DatasetVersion, *, actor: User | None) -> DatasetEdit:
    """Take back the newest edit that stands; that edit, which is not done yet where it takes long."""
    with transaction.atomic():
        draft = lock(version)
        edit = undoable(draft)
        if edit is None:
            raise InvalidInput(f"There is nothing to take back in {draft}.")
        edit.state = {**edit.state, "doing": UNDO}
        edit.is_done = False
        edit.save(update_fields=["state", "is_done"])
        audit.record(actor, "dataset.undo", str(draft), verb=edit.verb, n_rows=edit.n_rows)
        if edit.n_rows > LONG:
            queue(edit)
            announce(draft)
        else:
            while not _restore_some(draft, edit):
                pass
            _end_undo(draft, edit)
    version.refresh_from_db()
    return edit


def redo(version: DatasetVersion, *, actor: User | None) -> DatasetEdit:
    """Do again what was taken back last. Raises InvalidInput after another edit."""
    with transaction.atomic():
        draft = lock(version)
        edit = redoable(draft)
        if edit is None:
            raise InvalidInput(f"There is nothing to do again in {draft}.")
        kept = {key: edit.state[key] for key in REMEMBERED if key in edit.state}
        n_rows = edit.n_rows
        start(draft, edit, redo=True, **kept)
        audit.record(actor, "dataset.redo", str(draft), verb=edit.verb, n_rows=n_rows)
        if n_rows > LONG:
            queue(edit)
            announce(draft)
        else:
            _apply_all(draft, edit)
    version.refresh_from_db()
    return edit


def undoable(draft: DatasetVersion) -> DatasetEdit | None:
    """The edit that `undo` would take back: the newest that stands."""
    return draft.edits.filter(undone_at=None).order_by("-pk").first()


def redoable(draft: DatasetVersion) -> DatasetEdit | None:
    """The edit that `redo` would do again: the first undone one after all that stand."""
    standing = undoable(draft)
    undone = draft.edits.filter(undone_at__isnull=False, pk__gt=standing.pk if standing else 0)
    return undone.order_by("pk").first()


def cancel(version: DatasetVersion, *, actor: User | None) -> None:
    """Stop the long edit that runs; what it did already is taken back. Raises Conflict if none runs."""
    edit = DatasetEdit.objects.filter(version=version, is_done=False).first()
    if edit is None:
        raise Conflict("Nothing is running here that could be stopped.")
    if edit.state.get("doing") != APPLY:
        raise Conflict("It is being taken back already. Wait until that is done.")
    audit.record(actor, "dataset.cancel", str(version), verb=edit.verb)
    task = edit_task(edit)
    if task is not None:
        tasks.cancel(task)
        task.refresh_from_db()
        if not task.is_finished:
            return  # Its worker stops at its next step, and takes back what it did.
    _turn_back(edit)


def mend() -> int:
    """Go on with edits that nobody works on, since their task was stopped or gave up.

    Half an edit is no edit: one that was being made is taken back. Returns how
    many there were. The worker calls this now and then.
    """
    n_mended = 0
    for edit in DatasetEdit.objects.filter(is_done=False):
        if edit_task(edit) is None:
            _turn_back(edit)
            n_mended += 1
    return n_mended


@tasks.handler(EDIT)
def run_edit(run: Run) -> dict[str, Any]:
    """Work on a long edit, a batch a transaction; called again after a kill, it goes on."""
    edit = (
        DatasetEdit.objects.select_related("version__dataset").filter(pk=run.args["edit"]).first()
    )
    if edit is None or edit.is_done:
        return {"edit": run.args["edit"]}
    draft = edit.version
    try:
        if edit.state["doing"] == APPLY:
            _apply_in_batches(run, draft, edit)
        else:
            _restore_in_batches(run, draft, edit)
    except tasks.LeaseLost:
        raise
    except tasks.Cancelled:
        _turn_back(edit)
        raise
    except OperationalError:
        raise
    except Exception as error:
        if not (isinstance(error, TrainerBotError) and error.retryable):
            edit.refresh_from_db()
            if edit.state["doing"] == APPLY:
                _turn_back(edit)
        raise
    return {"edit": edit.pk, "n_rows": edit.n_rows}


def _apply_in_batches(run: Run, draft: DatasetVersion, edit: DatasetEdit) -> None:
    run.save(step="looking")
    plan = act_of(edit).prepare(draft, edit, run.save)
    n_positions = max(draft.examples.count(), 1)
    is_last = False
    while not is_last:
        found = _look(draft, edit, plan)
        with transaction.atomic():
            # First, so that a worker that lost its lease changes nothing.
            run.save(step="changing", progress=(edit.state["cursor"] + 1) / n_positions)
            is_last = _apply_some(draft, edit, found)
    with transaction.atomic():
        run.save()
        if edit.n_rows:
            _end_apply(draft, edit)
        else:
            edit.delete()
            announce(draft)


def _restore_in_batches(run: Run, draft: DatasetVersion, edit: DatasetEdit) -> None:
    is_last = False
    while not is_last:
        with transaction.atomic():
            n_back = edit.state.get("n_back", 0)
            run.save(step="taking back", progress=n_back / max(edit.n_rows, 1))
            is_last = _restore_some(draft, edit)
    with transaction.atomic():
        run.save()
        _end_undo(draft, edit)


def _apply_all(draft: DatasetVersion, edit: DatasetEdit) -> None:
    plan = act_of(edit).prepare(draft, edit, lambda: None)
    while not _apply_some(draft, edit, _look(draft, edit, plan)):
        pass
    if not edit.n_rows:
        raise InvalidInput("Nothing would change by this.")
    _end_apply(draft, edit)


def _look(draft: DatasetVersion, edit: DatasetEdit, plan: Any) -> Any:
    """What the next step works on. Nobody else changes the draft meanwhile."""
    look = act_of(edit).look
    return look(draft, edit, edit.state["cursor"]) if look else plan


def _apply_some(draft: DatasetVersion, edit: DatasetEdit, found: Any) -> bool:
    """One step, and how far it is; whether it was the last one."""
    state = edit.state
    step = act_of(edit).step(draft, edit, found, state["cursor"])
    edit.n_rows += step.change.n_rows
    edit.state = {
        **state,
        "cursor": step.last,
        "n_examples": state["n_examples"] + step.change.n_examples,
        "n_bytes": state["n_bytes"] + step.change.n_bytes,
    }
    edit.save(update_fields=["n_rows", "state"])
    return step.is_last


def _end_apply(draft: DatasetVersion, edit: DatasetEdit) -> None:
    act, state = act_of(edit), edit.state
    changes: dict[str, Any] = {
        "n_examples": state["was"]["n_examples"] + state["n_examples"],
        "n_bytes": max(state["was"]["n_bytes"] + state["n_bytes"], 0),
    }
    if act.changes_words:
        changes["sha256"] = ""
    else:
        changes["split"] = {"seed": edit.args["seed"], "shares": edit.args["shares"]}
    _end(draft, edit, changes)
    if not state.get("redo"):
        audit.record(
            edit.created_by, "dataset.edit", str(draft), verb=edit.verb, n_rows=edit.n_rows
        )
    announce(draft)


def _restore_some(draft: DatasetVersion, edit: DatasetEdit) -> bool:
    """Take back some rows, and say whether nothing is left."""
    n_back = rows.restore(edit, Kind(draft.kind), size=RESTORED_AT_ONCE)
    edit.state = {**edit.state, "n_back": edit.state.get("n_back", 0) + n_back}
    edit.save(update_fields=["state"])
    return n_back == 0


def _end_undo(draft: DatasetVersion, edit: DatasetEdit) -> None:
    """The draft is as it was before the edit."""
    forgotten = edit.state["doing"] == REVERT and not edit.state.get("redo")
    edit.state = {key: value for key, value in edit.state.items() if key != "n_back"}
    edit.undone_at = now()
    _end(draft, edit, edit.state["was"])
    if forgotten:
        edit.delete()
    announce(draft)


def _end(draft: DatasetVersion, edit: DatasetEdit, changes: dict[str, Any]) -> None:
    edit.is_done = True
    edit.save(update_fields=["state", "is_done", "undone_at"])
    DatasetVersion.objects.filter(pk=draft.pk, frozen_at=None).update(**changes)
    draft.refresh_from_db()
    if act_of(edit).changes_words:
        examination.request(draft)


@transaction.atomic
def _turn_back(edit: DatasetEdit) -> None:
    """Let a new task take back what an edit did, or go on with taking it back."""
    found = DatasetEdit.objects.select_for_update().filter(pk=edit.pk, is_done=False).first()
    if found is None:
        return
    if found.state["doing"] == APPLY:
        found.state = {**found.state, "doing": REVERT}
        found.save(update_fields=["state"])
    queue(found)
