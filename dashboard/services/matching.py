"""Which row of one version is which row of another: by descent, else by content, else by question."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from django.db import models
from django.db.models import QuerySet
from django.db.models.functions import Cast

from dashboard.models import DatasetVersion, Example
from trainerbot.curation import fingerprint, near_groups
from trainerbot.formats.rows import Kind

Pair = tuple[int | None, int | None]
"""Positions of a row in the earlier and in the later version."""

BATCH = 2_000
MAX_NEAR = 20_000
"""Unmatched rows among which alike questions are looked for; in more, only equal ones."""


@dataclass(frozen=True, slots=True)
class Matched:
    """How many rows differ, and `after(kind, position, size)` to read them in order.

    kind: changed, removed (both in the order of the earlier version) or added.
    """

    n_added: int
    n_removed: int
    n_changed: int
    after: Callable[[str, int, int], list[Pair]]


def match(before: DatasetVersion, after: DatasetVersion) -> Matched:
    """Find out which rows of two versions are the same; in seconds for a million each.

    At once where `after` descends from `before`, and where their hashes agree.
    """
    if before.sha256 and before.sha256 == after.sha256:
        return Matched(0, 0, 0, lambda kind, position, size: [])
    line = _line(before, after)
    if line is not None:
        return _Descent(before, after, line).matched()
    # A draft changes, and so what was found out about it is asked anew.
    found = _by_content if before.is_draft or after.is_draft else _remembered
    return found(before.pk, after.pk, before.sha256, after.sha256).matched()


def _line(before: DatasetVersion, after: DatasetVersion) -> list[DatasetVersion] | None:
    """The versions after `before` up to `after`, or None where there is no descent."""
    line: list[DatasetVersion] = []
    each: DatasetVersion | None = after
    while each is not None and each.pk != before.pk and each not in line:
        line.append(each)
        each = each.parent
    return line if each is not None and each.pk == before.pk else None


class _Descent:
    """Rows that kept their positions: what was added lies behind all earlier positions."""

    def __init__(
        self, before: DatasetVersion, after: DatasetVersion, line: list[DatasetVersion]
    ) -> None:
        self._before = before.examples.kept()
        self._after = after.examples.kept()
        self._n_before = before.n_examples
        self._n_after = after.n_examples
        self._versions = before, after
        self._line = line
        self._last = before.examples.last_position()

    def matched(self) -> Matched:
        n_added = self._after.filter(position__gt=self._last).count()
        n_removed = self._n_before - (self._n_after - n_added)
        n_changed = sum(1 for _ in self._changed(-1))
        return Matched(n_added, n_removed, n_changed, self._read)

    def _read(self, kind: str, position: int, size: int) -> list[Pair]:
        if kind == "added":
            rows = self._after.filter(position__gt=max(self._last, position))
            return [(None, each) for each in _positions(rows)[:size]]
        if kind == "removed":
            return [(each, None) for each in self._removed(position, size)]
        found: list[Pair] = []
        for each in self._changed(position):
            if len(found) == size:
                break
            found.append((each, each))
        return found

    def _removed(self, position: int, size: int) -> list[int]:
        """Positions behind `position` of rows that are gone; `size` at most."""
        before, after = self._versions
        gone: list[int] = []
        end = after
        if after.is_draft and after.parent is not None:
            # What goes when the draft is frozen still lies there, with its mark.
            edits = list(after.edits.values_list("pk", flat=True))
            marked = Example.objects.filter(removed_by__in=edits, position__lte=self._last)
            gone = list(_positions(marked.filter(position__gt=position))[:size])
            end = after.parent
        if end != before:
            gaps = _gaps(before.pk, end.pk, before.sha256, end.sha256)
            start = bisect_right(gaps, position)
            gone = sorted({*gone, *gaps[start : start + size]})
        return gone[:size]

    def _changed(self, position: int) -> Iterator[int]:
        """Positions behind `position` of rows that say something else now."""
        edited = self._edited(position)
        while batch := edited[:BATCH]:
            pairs = [(each, each) for each in batch]
            yield from (one for one, _ in _unequal(self._before, self._after, pairs))
            edited = self._edited(batch[-1])

    def _edited(self, position: int) -> list[int]:
        """The next positions of rows that were edited anywhere on the way; BATCH at most."""
        found: set[int] = set()
        for version in self._line:
            rows = version.examples.kept().filter(
                edited=True, position__gt=position, position__lte=self._last
            )
            found.update(_positions(rows)[:BATCH])
        return sorted(found)[:BATCH]


@lru_cache(maxsize=4)
def _gaps(before_pk: int, after_pk: int, *hashes: str) -> array[int]:
    """Positions of a frozen version that a later frozen one no longer has, in order."""
    before, after = (
        _positions(Example.objects.filter(version=pk).kept()).iterator(chunk_size=10_000)
        for pk in (before_pk, after_pk)
    )
    found = array("q")
    there = next(after, None)
    for position in before:
        while there is not None and there < position:
            there = next(after, None)
        if there != position:
            found.append(position)
    return found


@dataclass(slots=True)
class _Lists:
    """What was found out about two versions without descent, as positions in order."""

    changed: array[int] = field(default_factory=lambda: array("q"))
    changed_after: array[int] = field(default_factory=lambda: array("q"))
    removed: array[int] = field(default_factory=lambda: array("q"))
    added: array[int] = field(default_factory=lambda: array("q"))

    def matched(self) -> Matched:
        return Matched(len(self.added), len(self.removed), len(self.changed), self._read)

    def _read(self, kind: str, position: int, size: int) -> list[Pair]:
        keys = {"changed": self.changed, "removed": self.removed, "added": self.added}[kind]
        start = bisect_right(keys, position)
        end = start + size
        if kind == "changed":
            return list(zip(keys[start:end], self.changed_after[start:end], strict=True))
        return [(key, None) if kind == "removed" else (None, key) for key in keys[start:end]]


def _by_content(before_pk: int, after_pk: int, *hashes: str) -> _Lists:
    before, after = (DatasetVersion.objects.get(pk=pk) for pk in (before_pk, after_pk))
    kind = Kind(before.kind)
    ones, others = array("q"), array("q")
    removed, added = array("q"), array("q")
    for one, other in _merge(_digests(before, kind), _digests(after, kind)):
        if other is None:
            removed.append(one or 0)
        elif one is None:
            added.append(other)
        else:
            ones.append(one)
            others.append(other)
    changed = list(_differing(before.examples.kept(), after.examples.kept(), ones, others))
    alike = _alike(before, after, removed, added)
    gone, come = {one for one, _ in alike}, {other for _, other in alike}
    changed = sorted([*changed, *alike])
    return _Lists(
        changed=array("q", (one for one, _ in changed)),
        changed_after=array("q", (other for _, other in changed)),
        removed=array("q", sorted(each for each in removed if each not in gone)),
        added=array("q", sorted(each for each in added if each not in come)),
    )


# The hashes are part of the key: they say that the rows are still those.
_remembered = lru_cache(maxsize=4)(_by_content)


def _merge(before: Iterator[tuple[int, int]], after: Iterator[tuple[int, int]]) -> Iterator[Pair]:
    """Walk along two streams of (digest, position) in their order, and pair equal digests."""
    one, other = next(before, None), next(after, None)
    while one is not None and other is not None:
        if one[0] < other[0]:
            yield one[1], None
            one = next(before, None)
        elif other[0] < one[0]:
            yield None, other[1]
            other = next(after, None)
        else:
            yield one[1], other[1]
            one, other = next(before, None), next(after, None)
    for rest in (one, *before) if one is not None else ():
        yield rest[1], None
    for rest in (other, *after) if other is not None else ():
        yield None, rest[1]


def _differing(
    before: QuerySet[Example], after: QuerySet[Example], ones: array[int], others: array[int]
) -> Iterator[tuple[int, int]]:
    """Those pairs that have a digest in common, and still differ: in case, space or metadata."""
    order = sorted(range(len(ones)), key=ones.__getitem__)
    for start in range(0, len(order), BATCH):
        pairs = [(ones[at], others[at]) for at in order[start : start + BATCH]]
        yield from _unequal(before, after, pairs)


def _digests(version: DatasetVersion, kind: Kind) -> Iterator[tuple[int, int]]:
    rows = version.examples.kept()
    if rows.filter(digest=None).exists():
        # Rows that were never examined: they are few, or of before there were digests.
        records = rows.values_list("position", "record").iterator(chunk_size=BATCH)
        yield from sorted((fingerprint(record, kind), position) for position, record in records)
        return
    found = rows.order_by("digest", "position").values_list("digest", "position")
    for digest, position in found.iterator(chunk_size=BATCH):
        if digest is not None:
            yield digest, position


def _alike(
    before: DatasetVersion, after: DatasetVersion, removed: Sequence[int], added: Sequence[int]
) -> list[tuple[int, int]]:
    """Pairs of rows that ask the same, or nearly, and are answered otherwise."""
    if not removed or not added:
        return []
    olds, news = _questions(before, removed), _questions(after, added)
    pairs = _pair_off(olds, news)
    gone, come = {one for one, _ in pairs}, {other for _, other in pairs}
    rest = (
        [each for each in removed if each not in gone],
        [each for each in added if each not in come],
    )
    if not rest[0] or not rest[1] or len(rest[0]) + len(rest[1]) > MAX_NEAR:
        return pairs
    # One set of keys for both versions: the rows of the earlier one are below zero.
    texts = [
        *((~position, text) for position, text in _asked(before, rest[0])),
        *((position, text) for position, text in _asked(after, rest[1])),
    ]
    groups = near_groups(texts)
    near_olds = {~key: _key(group) for key, group in groups.items() if key < 0}
    near_news = {key: _key(group) for key, group in groups.items() if key >= 0}
    return [*pairs, *_pair_off(near_olds, near_news)]


def _pair_off(olds: dict[int, bytes], news: dict[int, bytes]) -> list[tuple[int, int]]:
    """Pair the rows with equal keys, in their order, each once."""
    waiting: defaultdict[bytes, list[int]] = defaultdict(list)
    for position in sorted(olds, reverse=True):
        waiting[olds[position]].append(position)
    return [
        (waiting[news[position]].pop(), position)
        for position in sorted(news)
        if waiting.get(news[position])
    ]


def _questions(version: DatasetVersion, positions: Sequence[int]) -> dict[int, bytes]:
    """Position -> hash of what is asked, of rows that ask anything."""
    return {position: _hash(text) for position, text in _asked(version, positions) if text.strip()}


def _asked(version: DatasetVersion, positions: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Position and question of rows, as lists show it."""
    ordered = sorted(positions)
    for start in range(0, len(ordered), BATCH):
        rows = version.examples.kept().filter(position__in=ordered[start : start + BATCH])
        yield from rows.order_by("position").values_list("position", "question")


def _hash(text: str) -> bytes:
    folded = " ".join(text.casefold().split())
    return hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _key(group: int) -> bytes:
    return group.to_bytes(16, "big", signed=True)


def _unequal(
    before: QuerySet[Example], after: QuerySet[Example], pairs: list[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Those pairs of positions whose records are not the same."""
    olds = _spellings(before, [one for one, _ in pairs])
    news = _spellings(after, [other for _, other in pairs])
    doubtful = [
        (one, other)
        for one, other in pairs
        if one in olds and other in news and olds[one] != news[other]
    ]
    if not doubtful:
        return
    # The same record may be written in two ways.
    old_records = _records(before, [one for one, _ in doubtful])
    new_records = _records(after, [other for _, other in doubtful])
    for one, other in doubtful:
        if old_records[one] != new_records[other]:
            yield one, other


def _spellings(rows: QuerySet[Example], positions: list[int]) -> dict[int, str]:
    """Records as the database keeps them, which is far quicker to compare than to parse."""
    found = rows.filter(position__in=positions).annotate(text=Cast("record", models.TextField()))
    return dict(found.values_list("position", "text"))


def _records(rows: QuerySet[Example], positions: list[int]) -> dict[int, object]:
    return dict(rows.filter(position__in=positions).values_list("position", "record"))


def _positions(rows: QuerySet[Example]) -> QuerySet[Example, int]:
    return rows.order_by("position").values_list("position", flat=True)
