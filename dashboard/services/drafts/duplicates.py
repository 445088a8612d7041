"""Which rows of a draft repeat an earlier one, exactly or nearly."""

from collections.abc import Callable, Iterator

from django.db import connection, transaction
from django.db.models import QuerySet

from dashboard.models import DatasetVersion, Example, Task
from dashboard.services import examination
from trainerbot.curation import fingerprint, near_duplicates, wording_of
from trainerbot.errors import InvalidInput
from trainerbot.formats.rows import Kind

BATCH = 1_000
MAX_NEAR = examination.MAX_NEAR
# Rows that are alike under two labels: the examination shows them, and they are no duplicates.
WITH_LABELS = (Kind.LABELLED, Kind.UNPAIRED)
_TABLE = Example._meta.db_table


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
    marks = _exact(rows, kind, beat)
    if near:
        marks |= _near(rows, kind, marks, beat)
    with transaction.atomic():
        rows.exclude(duplicate_of=None).update(duplicate_of=None, likeness=None)
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {_TABLE} SET duplicate_of = %s, likeness = %s "
                "WHERE version_id = %s AND position = %s",
                [(of, score, draft.pk, position) for position, (of, score) in marks.items()],
            )


def batch(draft: DatasetVersion, *, near: bool, after: int) -> tuple[list[Example], int, bool]:
    """The next rows that may go because an earlier one stays; the last one seen; whether it ends.

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
    return gone, found[-1].position if found else after, len(found) < BATCH


def texts(rows: QuerySet[Example], kind: Kind) -> Iterator[tuple[int, str]]:
    """Position and wording of rows, in their order, a batch in memory at a time."""
    last = -1
    found = rows.order_by("position").values_list("position", "record")
    while batch := list(found.filter(position__gt=last)[:BATCH]):
        for position, record in batch:
            yield position, wording_of(record, kind)
        last = batch[-1][0]


def digests(rows: QuerySet[Example], kind: Kind) -> Iterator[tuple[int, int]]:
    """Position and digest of rows, in their order; taken here where nobody has yet."""
    last = -1
    found = rows.order_by("position").only("position", "digest")
    while batch := list(found.filter(position__gt=last)[: 10 * BATCH]):
        for row in batch:
            yield (
                row.position,
                (fingerprint(row.record, kind) if row.digest is None else row.digest),
            )
        last = batch[-1].position


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


def _exact(
    rows: QuerySet[Example], kind: Kind, beat: Callable[[], None]
) -> dict[int, tuple[int, float]]:
    first_of: dict[int, int] = {}
    marks: dict[int, tuple[int, float]] = {}
    for position, digest in digests(rows, kind):
        first = first_of.setdefault(digest, position)
        if first != position:
            marks[position] = (first, 1.0)
        if position % (10 * BATCH) == 0:
            beat()
    return marks


def _near(
    rows: QuerySet[Example],
    kind: Kind,
    exact: dict[int, tuple[int, float]],
    beat: Callable[[], None],
) -> dict[int, tuple[int, float]]:
    """Near duplicates among the rows of each label that are no exact ones."""
    marks: dict[int, tuple[int, float]] = {}
    labels = list(rows.order_by("label").values_list("label", flat=True).distinct())
    for label in labels:
        unique = (
            (position, text)
            for position, text in texts(rows.filter(label=label), kind)
            if position not in exact
        )
        for each in near_duplicates(unique, progress=lambda n_read: beat()):
            marks[each.key] = (each.of, each.score)
    return marks


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
