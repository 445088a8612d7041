"""Which rows an edit is about: some positions, or all that a filter lets through."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, NamedTuple

from django.db.models import QuerySet

from dashboard.models import DatasetVersion, Example
from dashboard.services import examples, searching
from dashboard.services.examples import Filter
from trainerbot.curation import text_of
from trainerbot.errors import InvalidInput
from trainerbot.formats.rows import Kind

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


def batch(version: DatasetVersion, args: dict[str, Any], *, after: int) -> Batch:
    """The next chosen rows behind the position `after`, removed ones left out."""
    if "positions" in args:
        wanted = [position for position in args["positions"] if position > after][:BATCH]
        rows = _kept(Example.objects.filter(version=version, position__in=wanted))
        return Batch(list(rows), wanted[-1] if wanted else after, len(wanted) < BATCH)
    chosen = Filter(**args["filter"])
    rows = _kept(examples.matching(version, chosen))
    words = searching.words_of(chosen.search)
    if words:
        return _searched(version, rows, words, after=after)
    found = list(rows.filter(position__gt=after)[:BATCH])
    return Batch(found, found[-1].position if found else after, len(found) < BATCH)


def are_more_than(limit: int, version: DatasetVersion, args: dict[str, Any]) -> bool:
    """Whether more than `limit` rows have to be looked at."""
    if "positions" in args:
        return len(args["positions"]) > limit
    chosen = Filter(**args["filter"])
    if chosen.search.strip():
        first = _searched(
            version,
            _kept(examples.matching(version, chosen)),
            searching.words_of(chosen.search),
            after=-1,
        )
        return not first.is_last
    return len(_kept(examples.matching(version, chosen)).values_list("pk")[: limit + 1]) > limit


def _kept(rows: QuerySet[Example]) -> QuerySet[Example]:
    return rows.filter(removed_by=None).order_by("position")


def _searched(
    version: DatasetVersion, rows: QuerySet[Example], words: list[str], *, after: int
) -> Batch:
    """Ask the index for the next keys, which rise with positions, and keep the rows that pass."""
    every = Example.objects.filter(version=version).order_by("position")
    behind = every.filter(position__gt=after).values_list("pk", flat=True)
    first, last = behind.first(), behind.last()
    if first is None or last is None:
        return Batch([], after, True)
    as_beginning = examples.is_beginning(version, words)
    found = searching.holding(
        version,
        rows,
        words,
        first_pk=first,
        last_pk=last,
        rising=True,
        as_beginning=as_beginning,
    )
    # All that one search has found: the next one begins anew, and may take a second.
    pks = found
    if not pks:
        return Batch([], after, True)
    looked_at = every.filter(pk__in=pks)
    end = looked_at.values_list("position", flat=True).last()
    kind = Kind(version.kind)
    return Batch(
        [
            row
            for row in rows.filter(pk__in=pks)
            # The index knows short beginnings only.
            if not as_beginning or searching.says(text_of(row.record, kind), words)
        ],
        after if end is None else end,
        len(found) < searching.LOOKED_AT,
    )
