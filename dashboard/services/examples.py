"""The rows of a version as pages: filtered, searched, each page at the price of the first."""

from dataclasses import dataclass, fields, replace

from django.db.models import F, Q, QuerySet

from dashboard.models import DatasetVersion, Example, Provenance
from dashboard.services import paging, searching
from dashboard.services.searching import Search
from trainerbot.errors import InvalidInput, NotFound

PAGE = 20
LOOKED_UP_AT_ONCE = 100
READ_AT_MOST = 500
LAST_POSITION = 2**31 - 1
__all__ = ["FIELDS", "Filter", "Found", "find", "get", "matching", "provenances"]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows of a version a person wants to see; empty fields ask for nothing.

    search: words that a row must hold, the last one as a beginning
    where no row holds them as they stand.
    marked: duplicate, private, short, long, edited, removed, or warned.
    """

    search: str = ""
    label: str = ""
    part: str = ""
    source: str = ""
    marked: str = ""

    @property
    def is_empty(self) -> bool:
        return self == Filter()


FIELDS = tuple(each.name for each in fields(Filter))
MARKS: dict[str, Q] = {
    "duplicate": Q(duplicate_of__isnull=False),
    "private": Q(n_private__gt=0),
    "short": ~Q(outlier=0) & Q(outlier=-1),
    "long": ~Q(outlier=0) & Q(outlier=1),
    "edited": Q(edited=True),
    "removed": Q(removed_by__isnull=False),
}


@dataclass(frozen=True, slots=True)
class Found:
    """One page of examples. after, before: positions to go on from; empty at the ends.

    searched_all: False when a search stopped before the end of the version,
    because few of the many rows that hold the words passed the other filters;
    `after` then goes on from there.
    """

    rows: list[Example]
    after: str
    before: str
    searched_all: bool = True


def find(
    version: DatasetVersion,
    *,
    chosen: Filter = Filter(),
    after: str = "",
    before: str = "",
    size: int = PAGE,
) -> Found:
    """One page of the rows of `version` that `chosen` asks for, in their order.

    Raises InvalidInput for a damaged page address or a search that is none.
    """
    rows = matching(version, chosen)
    search = searching.search(version, chosen.search)
    if search is None:
        found = paging.page(
            rows, after=after, before=before, size=size, key="position", newest_first=False
        )
        return Found(rows=found.rows, after=found.after, before=found.before)
    return _search(search, chosen, after=after, before=before, size=size)


def matching(version: DatasetVersion, chosen: Filter) -> QuerySet[Example]:
    """All rows that the filters of `chosen` let through, its search left aside."""
    return _narrowed(Example.objects.filter(version=version), version, chosen)


def _narrowed(
    rows: QuerySet[Example], version: DatasetVersion, chosen: Filter
) -> QuerySet[Example]:
    # A database takes a partial index only for the very words of its condition,
    # so each filter says them too (models/datasets.py).
    if chosen.marked != "removed":
        rows = rows.filter(removed_by__isnull=True)
    if chosen.label:
        rows = rows.exclude(label="").filter(label=chosen.label)
    if chosen.part:
        rows = rows.exclude(part="").filter(part=chosen.part)
    if chosen.source:
        known = Provenance.objects.filter(source=chosen.source, pk__in=provenances(version))
        rows = rows.filter(provenance__in=list(known))
    if chosen.marked:
        if chosen.marked not in MARKS:
            raise InvalidInput("There is no such filter.")
        rows = rows.filter(MARKS[chosen.marked])
    return rows


def get(version: DatasetVersion, position: int) -> Example:
    """One row, also one that was removed from its draft."""
    row = (
        Example.objects.select_related("provenance")
        .filter(version=version, position=position)
        .first()
    )
    if row is None:
        raise NotFound(f"{version} has no example {position}.")
    return row


def provenances(version: DatasetVersion) -> list[int]:
    """The keys of the provenances in a version, rising."""
    return list(version.examples.each_value("provenance"))


def _search(search: Search, chosen: Filter, *, after: str, before: str, size: int) -> Found:
    """Walk from the page's edge until the page is full, along the shorter of two ways."""
    rising = not before or bool(after)
    token = after or before
    edge = _position(token) if token else None
    rows = matching(search.version, chosen)
    at_most = READ_AT_MOST if search.is_doubtful else searching.LOOKED_AT
    pks = search.keys(rows, edge=edge, rising=rising, at_most=at_most)
    looked_at_all = len(pks) < at_most
    if looked_at_all or replace(chosen, search="").is_empty:
        by_key = _narrowed(_not_by_version(search.version), search.version, chosen)
        walk = _along_the_index(search, by_key, pks, size + 1, rising=rising, is_all=looked_at_all)
    else:
        # So many rows hold the words that those of the filter are the shorter way.
        walk = _along_the_rows(search, rows, edge, size + 1, rising=rising)
    full = len(walk.rows) > size
    found = walk.rows[:size]
    onward = ""
    if full:
        onward = str(found[-1].position)
    elif not walk.ended:
        onward = str(walk.seen)
    if rising:
        back = str(found[0].position) if found and token else ""
        return Found(found, after=onward, before=back, searched_all=full or walk.ended)
    back = str(found[0].position) if found else ""
    found.reverse()
    return Found(found, after=back, before=onward, searched_all=full or walk.ended)


@dataclass(frozen=True, slots=True)
class _Walk:
    """Rows that were met on a way through a version.

    seen: the position looked at last. ended: whether the way ended there.
    """

    rows: list[Example]
    seen: int
    ended: bool


def _along_the_index(
    search: Search,
    rows: QuerySet[Example],
    pks: list[int],
    n_wanted: int,
    *,
    rising: bool,
    is_all: bool,
) -> _Walk:
    """Those of `pks` that pass the filters and hold the words, in their order."""
    found: list[Example] = []
    for start in range(0, len(pks), LOOKED_UP_AT_ONCE):
        chunk = rows.filter(pk__in=pks[start : start + LOOKED_UP_AT_ONCE])
        found += [
            row
            for row in chunk.order_by("pk" if rising else "-pk")
            if not search.is_doubtful or search.is_said_by(row)
        ]
        if len(found) >= n_wanted:
            return _Walk(found, found[-1].position, ended=False)
    seen = Example.objects.get(pk=pks[-1]).position if pks else 0
    return _Walk(found, seen, ended=is_all)


def _along_the_rows(
    search: Search, rows: QuerySet[Example], edge: int | None, n_wanted: int, *, rising: bool
) -> _Walk:
    """Those rows that pass the filters, read until enough of them hold the words."""
    if edge is not None:
        rows = rows.filter(**{f"position__{'gt' if rising else 'lt'}": edge})
    ordered = rows.order_by("position" if rising else "-position")
    found: list[Example] = []
    seen = n_read = 0
    for row in ordered[:READ_AT_MOST].iterator(chunk_size=200):
        n_read, seen = n_read + 1, row.position
        if search.is_said_by(row):
            found.append(row)
            if len(found) == n_wanted:
                break
    return _Walk(found, seen, ended=n_read < READ_AT_MOST and len(found) < n_wanted)


def _not_by_version(version: DatasetVersion) -> QuerySet[Example]:
    """The rows of a version for who has their keys: no index on the version is of use then.

    SQLite's planner took one all the same and read a million rows for twenty.
    """
    return Example.objects.alias(of_version=F("version_id") + 0).filter(of_version=version.pk)


def _position(token: str) -> int:
    try:
        return min(int(token), LAST_POSITION)
    except ValueError as error:
        raise InvalidInput("This page address is damaged. Start again from the list.") from error
