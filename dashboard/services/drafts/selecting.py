"""Which rows an edit is about: some positions, or all that a filter lets through."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, NamedTuple

from django.db.models import QuerySet

from dashboard.models import DatasetVersion, Example
from dashboard.services import examples, searching
from dashboard.services.examples import Filter
from dashboard.services.searching import Search
from trainerbot.errors import InvalidInput

BATCH = 1_000
MAX_POSITIONS = 100_000
Chosen = Filter | Iterable[int] | None


class Batch(NamedTuple):
    """Some chosen rows, in their order; `last` is the position to go on after."""

    rows: list[Example]
    last: int
    is_last: bool


def as_args(chosen: Chosen) -> dict[str, Any]:
    """A choice as it is written into an edit: {filter} or {positions}; None is every row."""
    if chosen is None:
        chosen = Filter()
    if isinstance(chosen, Filter):
        searching.words_of(chosen.search)
        return {"filter": asdict(chosen)}
    positions = sorted({int(position) for position in chosen})
    if not positions:
        raise InvalidInput("No example is chosen.")
    if len(positions) > MAX_POSITIONS:
        raise InvalidInput(
            f"Choose at most {MAX_POSITIONS:,} examples, or all that a filter shows."
        )
    return {"positions": positions}


def decided(version: DatasetVersion, args: dict[str, Any]) -> dict[str, Any]:
    """What a choice means before the edit begins, for the edit to remember: {as_beginning}.

    The edit may take the searched word out of the rows that hold it; asked
    again, the search would go on to rows in which a longer word begins so.
    """
    search = searching.search(version, args.get("filter", {}).get("search", ""))
    return {} if search is None else {"as_beginning": search.as_beginning}


def batch(
    version: DatasetVersion,
    args: dict[str, Any],
    *,
    after: int,
    as_beginning: bool | None = None,
) -> Batch:
    """The next chosen rows behind the position `after`, removed ones left out.

    as_beginning: as it was `decided`; None decides now.
    """
    if "positions" in args:
        wanted = [position for position in args["positions"] if position > after][:BATCH]
        rows = _kept(Example.objects.filter(version=version, position__in=wanted))
        return Batch(list(rows), wanted[-1] if wanted else after, len(wanted) < BATCH)
    chosen = Filter(**args["filter"])
    rows = _kept(examples.matching(version, chosen))
    search = searching.search(version, chosen.search, as_beginning=as_beginning)
    if search is not None:
        return _searched(search, rows, after=after)
    found = list(rows.filter(position__gt=after)[:BATCH])
    return Batch(found, found[-1].position if found else after, len(found) < BATCH)


def are_more_than(limit: int, version: DatasetVersion, args: dict[str, Any]) -> bool:
    """Whether more than `limit` rows have to be looked at."""
    if "positions" in args:
        return len(args["positions"]) > limit
    chosen = Filter(**args["filter"])
    rows = _kept(examples.matching(version, chosen))
    search = searching.search(version, chosen.search)
    if search is not None:
        return len(search.keys(rows)) == searching.LOOKED_AT
    return len(rows.values_list("pk")[: limit + 1]) > limit


def _kept(rows: QuerySet[Example]) -> QuerySet[Example]:
    return rows.filter(removed_by=None).order_by("position")


def _searched(search: Search, rows: QuerySet[Example], *, after: int) -> Batch:
    """The rows that pass, of all that one look into the index finds: each begins anew, and is slow."""
    pks = search.keys(rows, edge=after, at_most=searching.LOOKED_AT)
    if not pks:
        return Batch([], after, True)
    found = [
        row for row in rows.filter(pk__in=pks) if not search.is_doubtful or search.is_said_by(row)
    ]
    last = Example.objects.values_list("position", flat=True).get(pk=pks[-1])
    return Batch(found, last, len(pks) < searching.LOOKED_AT)
