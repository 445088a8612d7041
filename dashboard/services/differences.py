"""What one version has that another has not: rows added, removed and changed, word by word.

Where the later version descends from the earlier one, a row is the same row
at the same position, and only what was edited is compared. Else rows are
matched by their content, and what is left by what they ask.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from dashboard.models import DatasetVersion, Example
from dashboard.services import matching
from dashboard.services.matching import Matched
from trainerbot.curation import Difference, differences, text_of
from trainerbot.errors import InvalidInput
from trainerbot.formats.rows import Kind

PAGE = 20
KINDS = ("changed", "removed", "added")


@dataclass(frozen=True, slots=True)
class Change:
    """One row that is not the same in both. `kind` is changed, removed or added."""

    kind: str
    before: Example | None
    after: Example | None

    @property
    def question(self) -> list[Difference]:
        """What is asked, as words that stayed, went and came."""
        return _words(self.before, self.after, "question")

    @property
    def answer(self) -> list[Difference]:
        return _words(self.before, self.after, "answer")

    @property
    def text(self) -> list[Difference]:
        """All that a person reads in the record, system messages and tool calls too."""
        return differences(_text(self.before), _text(self.after))

    @property
    def keys(self) -> list[str]:
        """The keys of the record whose values differ; of a new or removed row, none."""
        if self.before is None or self.after is None:
            return []
        one, other = self.before.record, self.after.record
        return sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows are in the later version only, in the earlier only, other, and the same."""

    added: int
    removed: int
    changed: int
    kept: int


@dataclass(frozen=True, slots=True)
class Setting:
    """Something about the versions themselves that differs."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Page:
    """Some changes; `after` asks for the next ones, and is empty at the end."""

    changes: list[Change]
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions side by side. Pages are read when they are asked for."""

    before: DatasetVersion
    after: DatasetVersion
    counts: Counts
    settings: list[Setting]
    matched: Matched

    @property
    def is_same(self) -> bool:
        """Whether every row is the same; settings may differ."""
        return not (self.counts.added or self.counts.removed or self.counts.changed)

    def page(self, *, after: str = "", size: int = PAGE, only: str = "") -> Page:
        """The next changes: first the changed rows, then removed, then added ones.

        only: one of KINDS. Raises InvalidInput for a damaged page address.
        """
        if only and only not in KINDS:
            raise InvalidInput("There is no such kind of change.")
        wanted = [only] if only else list(KINDS)
        kind, last = _read(after) if after else (wanted[0], -1)
        if kind not in wanted:
            raise InvalidInput("This page address is damaged. Start again from the first page.")
        found: list[Change] = []
        for each in wanted[wanted.index(kind) :]:
            start = last if each == kind else -1
            pairs = self.matched.after(each, start, size + 1 - len(found))
            found += self._changes(each, pairs)
            if len(found) > size:
                break
        more, found = len(found) > size, found[:size]
        return Page(found, _token(found[-1]) if more else "")

    def all(self) -> Iterator[Change]:
        """Every change, in the order of the pages, a page in memory at a time."""
        after = ""
        while True:
            page = self.page(after=after, size=500)
            yield from page.changes
            after = page.after
            if not after:
                return

    def _changes(self, kind: str, pairs: list[tuple[int | None, int | None]]) -> list[Change]:
        befores = _at(self.before, [one for one, _ in pairs if one is not None])
        afters = _at(self.after, [other for _, other in pairs if other is not None])
        return [
            Change(
                kind,
                befores[one] if one is not None else None,
                afters[other] if other is not None else None,
            )
            for one, other in pairs
        ]


def between(before: DatasetVersion, after: DatasetVersion) -> Comparison:
    """Compare two versions of any datasets, drafts as they are now.

    Raises InvalidInput for versions of two kinds, which have nothing in common.
    """
    if before.kind != after.kind:
        raise InvalidInput(
            f"{before} and {after} are of two kinds ({before.kind}, {after.kind}), "
            "so that their rows cannot be compared."
        )
    matched = matching.match(before, after)
    return Comparison(
        before=before,
        after=after,
        counts=Counts(
            added=matched.n_added,
            removed=matched.n_removed,
            changed=matched.n_changed,
            kept=before.n_examples - matched.n_removed - matched.n_changed,
        ),
        settings=_settings(before, after),
        matched=matched,
    )


def as_json(comparison: Comparison, *, limit: int | None = None) -> dict[str, Any]:
    """What programs read: counts, settings and up to `limit` changes with both records."""
    changes: list[dict[str, Any]] = []
    for change in comparison.all():
        if limit is not None and len(changes) >= limit:
            break
        changes.append(change_row(change))
    return {
        "before": str(comparison.before),
        "after": str(comparison.after),
        "counts": asdict(comparison.counts),
        "settings": [asdict(each) for each in comparison.settings],
        "changes": changes,
    }


def change_row(change: Change) -> dict[str, Any]:
    """One change as programs read it."""
    return {
        "change": change.kind,
        "position_before": change.before.position if change.before else None,
        "position_after": change.after.position if change.after else None,
        "before": change.before.record if change.before else None,
        "after": change.after.record if change.after else None,
        "question": [[each.change.value, each.text] for each in change.question],
        "answer": [[each.change.value, each.text] for each in change.answer],
    }


def _settings(before: DatasetVersion, after: DatasetVersion) -> list[Setting]:
    pairs = {
        "split": (before.split, after.split),
        "note": (before.note, after.note),
        "provenance": (_sources(before), _sources(after)),
    }
    return [Setting(name, one, other) for name, (one, other) in pairs.items() if one != other]


def _sources(version: DatasetVersion) -> list[str]:
    """Where rows come from and under which licence, in words, by hopping through their index."""
    rows = version.examples.kept().order_by("provenance").select_related("provenance")
    found: set[str] = set()
    row = rows.first()
    while row is not None:
        licence = f" ({row.provenance.licence})" if row.provenance.licence else ""
        found.add(f"{row.provenance.get_source_display()}{licence}")
        row = rows.filter(provenance__gt=row.provenance_id).first()
    return sorted(found)


def _at(version: DatasetVersion, positions: list[int]) -> dict[int, Example]:
    rows = Example.objects.filter(version=version, position__in=positions)
    found = {row.position: row for row in rows.select_related("provenance")}
    for row in found.values():
        row.version = version
    return found


def _words(before: Example | None, after: Example | None, field: str) -> list[Difference]:
    return differences(
        getattr(before, field) if before else "", getattr(after, field) if after else ""
    )


def _text(row: Example | None) -> str:
    return text_of(row.record, Kind(row.version.kind)) if row else ""


def _token(change: Change) -> str:
    row = change.after if change.before is None else change.before
    return f"{change.kind}-{row.position if row else 0}"


def _read(token: str) -> tuple[str, int]:
    kind, _, position = token.partition("-")
    if kind not in KINDS or not position.isdecimal():
        raise InvalidInput("This page address is damaged. Start again from the first page.")
    return kind, int(position)
