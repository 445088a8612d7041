"""What each verb does to the next rows of a draft: the steps of which an edit is made."""

from collections.abc import Callable
from typing import Any, NamedTuple

from dashboard.models import DatasetEdit, DatasetVersion, Provenance
from dashboard.services.drafts import duplicates, rows, selecting, splitting
from dashboard.services.drafts.rows import Change
from trainerbot.curation import mask_record
from trainerbot.errors import Conflict, InvalidInput
from trainerbot.formats.rows import Kind

Verb = DatasetEdit.Verb
Beat = Callable[[], None]
"""What a long computation calls now and then, so that its lease is kept."""


class Step(NamedTuple):
    """What a step changed, the position to go on after, and whether it was the last one."""

    change: Change
    last: int
    is_last: bool


class Act(NamedTuple):
    """A verb: what is found out before the first step, one step, and whether words change by it.

    look: finds the rows of the next step; outside of the transaction that
    changes them, since a search among a million may take a second.
    """

    step: Callable[[DatasetVersion, DatasetEdit, Any, int], Step]
    prepare: Callable[[DatasetVersion, DatasetEdit, Beat], Any] = lambda draft, edit, beat: None
    look: Callable[[DatasetVersion, DatasetEdit, int], selecting.Batch] | None = None
    changes_words: bool = True


def _rewrite(draft: DatasetVersion, edit: DatasetEdit, found: selecting.Batch, after: int) -> Step:
    change = rows.rewrite(
        edit, Kind(draft.kind), ((row, edit.state["record"]) for row in found.rows)
    )
    return Step(change, found.last, True)


def _add(draft: DatasetVersion, edit: DatasetEdit, plan: Any, after: int) -> Step:
    provenance = Provenance.objects.filter(pk=edit.state["provenance"]).first()
    if provenance is None:
        raise Conflict("Where this example came from is no longer known. Add it again.")
    change = rows.add(
        draft,
        edit.state["record"],
        position=edit.state["position"],
        provenance=provenance,
        part="train" if draft.split else "",
    )
    return Step(change, after, True)


def _remove(draft: DatasetVersion, edit: DatasetEdit, found: selecting.Batch, after: int) -> Step:
    return Step(rows.remove(edit, found.rows), found.last, found.is_last)


def _mark_duplicates(draft: DatasetVersion, edit: DatasetEdit, beat: Beat) -> None:
    duplicates.refresh(draft, near=edit.args["near"], beat=beat)


def _mask(draft: DatasetVersion, edit: DatasetEdit, found: selecting.Batch, after: int) -> Step:
    kind = Kind(draft.kind)
    masked = ((row, mask_record(row.record, kind)[0]) for row in found.rows)
    return Step(rows.rewrite(edit, kind, masked), found.last, found.is_last)


def _relabel(draft: DatasetVersion, edit: DatasetEdit, found: selecting.Batch, after: int) -> Step:
    label = label_of(draft, edit.args["label"])
    relabelled = ((row, {**row.record, "label": label}) for row in found.rows)
    return Step(rows.rewrite(edit, Kind(draft.kind), relabelled), found.last, found.is_last)


def _split(draft: DatasetVersion, edit: DatasetEdit, plan: Any, after: int) -> Step:
    # Their words are not asked for: there may be a million.
    some = draft.examples.kept().filter(position__gt=after).order_by("position")
    found = list(some.only("version", "position", "part", "edited")[: selecting.BATCH])
    change = rows.set_parts(edit, [(row, plan[row.position]) for row in found])
    last = found[-1].position if found else after
    return Step(change, last, len(found) < selecting.BATCH)


def _plan_split(draft: DatasetVersion, edit: DatasetEdit, beat: Beat) -> dict[int, str]:
    return splitting.plan(draft, shares=edit.args["shares"], seed=edit.args["seed"], beat=beat)


def _repeated(draft: DatasetVersion, edit: DatasetEdit, after: int) -> selecting.Batch:
    return duplicates.batch(draft, near=edit.args["near"], after=after)


def _selected(draft: DatasetVersion, edit: DatasetEdit, after: int) -> selecting.Batch:
    as_beginning = edit.state.get("as_beginning")
    return selecting.batch(draft, edit.args, after=after, as_beginning=as_beginning)


def label_of(draft: DatasetVersion, label: str) -> str | bool:
    """A label as the records of a draft write it. Raises InvalidInput for one that cannot be."""
    match Kind(draft.kind):
        case Kind.LABELLED:
            return label
        case Kind.UNPAIRED if label in ("good", "bad"):
            return label == "good"
        case Kind.UNPAIRED:
            raise InvalidInput('A judged answer is "good" or "bad".')
        case _:
            raise InvalidInput(f"The examples of {draft} have no labels.")


ACTS = {
    Verb.ADD: Act(_add),
    Verb.REWRITE: Act(_rewrite, look=_selected),
    Verb.REMOVE: Act(_remove, look=_selected),
    Verb.MASK: Act(_mask, look=_selected),
    Verb.DEDUPLICATE: Act(_remove, _mark_duplicates, look=_repeated),
    Verb.SPLIT: Act(_split, _plan_split, changes_words=False),
    Verb.RELABEL: Act(_relabel, look=_selected),
}


def act_of(edit: DatasetEdit) -> Act:
    return ACTS[Verb(edit.verb)]
