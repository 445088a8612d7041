"""Rows that repeat an earlier one, exactly or nearly: found, and marked beside them."""

from collections.abc import Callable, Iterator

from django.db import connection, transaction
from django.db.models import QuerySet

from dashboard.models import DatasetVersion, Example
from trainerbot.curation import fingerprint, near_duplicates, wording_of
from trainerbot.formats.rows import Kind

MAX_NEAR = 200_000
"""Rows among which near duplicates are looked for: a minute or two, and under 2 GB."""

TEXTS_AT_ONCE = 50  # each may have megabytes
DIGESTS_AT_ONCE = 10_000
_TABLE = Example._meta.db_table

Marks = dict[int, tuple[int, float]]
"""Position of a row -> the position that it repeats, and how alike the two are, 0 to 1."""


def texts(rows: QuerySet[Example], kind: Kind) -> Iterator[tuple[int, str]]:
    """Position and wording of rows, in their order, a few in memory at a time."""
    # No cursor stays open: SQLite refuses to write beneath one that another's write has
    # overtaken, and whoever compares writes down how far it is.
    last = -1
    found = rows.order_by("position").values_list("position", "record")
    while batch := list(found.filter(position__gt=last)[:TEXTS_AT_ONCE]):
        for position, record in batch:
            yield position, wording_of(record, kind)
        last = batch[-1][0]


def digests(rows: QuerySet[Example], kind: Kind) -> Iterator[tuple[int, int]]:
    """Position and digest of rows, in their order; taken here where nobody has yet."""
    last = -1
    found = rows.order_by("position").values_list("position", "digest")
    while batch := list(found.filter(position__gt=last)[:DIGESTS_AT_ONCE]):
        for position, digest in batch:
            if digest is None:
                # They are few: rows of before there were digests, examined soon.
                record = rows.values_list("record", flat=True).get(position=position)
                digest = fingerprint(record, kind)
            yield position, digest
        last = batch[-1][0]


def exact(rows: QuerySet[Example], kind: Kind, *, beat: Callable[[], None]) -> Marks:
    """The rows with the digest of an earlier one. `beat` is called now and then, and may raise."""
    first_of: dict[int, int] = {}
    marks: Marks = {}
    for position, digest in digests(rows, kind):
        first = first_of.setdefault(digest, position)
        if first != position:
            marks[position] = (first, 1.0)
        if position % DIGESTS_AT_ONCE == 0:
            beat()
    return marks


def near(
    rows: QuerySet[Example], kind: Kind, *, besides: Marks, progress: Callable[[int], None]
) -> Marks:
    """Near duplicates among the rows that are not marked already; see `near_duplicates`."""
    others = ((position, text) for position, text in texts(rows, kind) if position not in besides)
    return {each.key: (each.of, each.score) for each in near_duplicates(others, progress=progress)}


@transaction.atomic
def mark(version: DatasetVersion, marks: Marks) -> None:
    """Write `marks` beside the rows of a version, in the place of those of before."""
    marked = version.examples.kept().exclude(duplicate_of=None)
    marked.update(duplicate_of=None, likeness=None)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {_TABLE} SET duplicate_of = %s, likeness = %s "
            "WHERE version_id = %s AND position = %s",
            [(of, score, version.pk, position) for position, (of, score) in marks.items()],
        )
