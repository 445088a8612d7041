"""Which rows of a draft repeat an earlier one, exactly or nearly."""

from collections.abc import Callable

from dashboard.models import DatasetVersion, Example, Task
from dashboard.services import examination, likeness
from dashboard.services.drafts.selecting import Batch
from dashboard.services.likeness import MAX_NEAR
from trainerbot.errors import InvalidInput
from trainerbot.formats.rows import Kind

BATCH = 1_000
# Rows that are alike under two labels: the examination shows them, and they are no duplicates.
WITH_LABELS = (Kind.LABELLED, Kind.UNPAIRED)


def refuse_too_many(draft: DatasetVersion) -> None:
    """Raise InvalidInput where near duplicates would take too long to find."""
    if draft.n_examples > MAX_NEAR:
        raise InvalidInput(
            f"Near duplicates are looked for among {MAX_NEAR:,} examples at most. "
            "Remove the exact ones only."
        )


def refresh(draft: DatasetVersion, *, near: bool, beat: Callable[[], None]) -> None:
    """Mark the rows that repeat an earlier one, unless the marks are true already."""
    if _are_true(draft):
        return
    kind, rows = Kind(draft.kind), draft.examples.kept()
    marks = likeness.exact(rows, kind, beat=beat)
    if near:
        for label in list(rows.order_by("label").values_list("label", flat=True).distinct()):
            marks |= likeness.near(
                rows.filter(label=label), kind, besides=marks, progress=lambda n_read: beat()
            )
    likeness.mark(draft, marks)


def batch(draft: DatasetVersion, *, near: bool, after: int) -> Batch:
    """The next rows that may go because an earlier one stays.

    A row goes only if the first of its group is there, and has the same label:
    the same words under another label contradict each other.
    """
    marked = draft.examples.kept().filter(duplicate_of__isnull=False, position__gt=after)
    found = list(marked.order_by("position")[:BATCH])
    firsts = _firsts(draft, found)
    gone = []
    for row in found:
        first = firsts.get(row.position)
        if first is None or first.removed_by_id is not None or first.label != row.label:
            continue
        if near or first.digest == row.digest:
            gone.append(row)
    return Batch(gone, found[-1].position if found else after, len(found) < BATCH)


def _are_true(draft: DatasetVersion) -> bool:
    """Whether the examination has seen the rows as they are now."""
    if Kind(draft.kind) in WITH_LABELS:
        return False
    if draft.summary.get("state") != "done" or "duplicates" not in draft.summary:
        return False
    if draft.summary["duplicates"].get("near") is None:
        return False
    waiting = Task.objects.unfinished().filter(kind=examination.EXAMINE, args__version=draft.pk)
    return not waiting.exists()


def _firsts(draft: DatasetVersion, found: list[Example]) -> dict[int, Example]:
    """The first row of the group of each: an exact duplicate may repeat a near one."""
    firsts: dict[int, Example] = {}
    ahead = {row.position: row.duplicate_of for row in found}
    seen: dict[int, Example] = {}
    while ahead:
        wanted = {of for of in ahead.values() if of is not None and of not in seen}
        seen |= {
            row.position: row
            for row in Example.objects.filter(version=draft, position__in=wanted).only(
                "position", "duplicate_of", "removed_by", "label", "digest"
            )
        }
        onward: dict[int, int | None] = {}
        for position, of in ahead.items():
            target = seen.get(of) if of is not None else None
            if target is None:
                continue
            if target.duplicate_of is None or target.duplicate_of >= target.position:
                firsts[position] = target
            else:
                onward[position] = target.duplicate_of
        ahead = onward
    return firsts
