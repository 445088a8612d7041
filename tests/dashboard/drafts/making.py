"""Versions with rows as an import stores them, and what a person sees of them."""

import hashlib
from collections.abc import Sequence
from typing import Any

from django.utils.timezone import now

from dashboard.models import DatasetVersion, Example
from dashboard.services import examples, storing
from dashboard.services.examples import Filter
from tests.factories import DatasetVersionFactory, ProvenanceFactory
from trainerbot.formats import Row, canonical
from trainerbot.formats.rows import Kind

ROOMS = (
    "The bakery on the corner opens before sunrise and sells rye bread.",
    "Ferries leave the northern harbour every forty minutes in summer.",
    "A violin needs new strings once its sound turns dull and thin.",
    "Nobody may feed the swans that winter below the old mill bridge.",
    "Copper roofs turn green because rain and air slowly corrode them.",
    "The museum keeps its largest globe in a room without windows.",
    "Chess clocks stop when both players agree on a draw by handshake.",
    "Lavender grows best in poor soil with full sun and little water.",
)


def chat(n: int, answer: str = "") -> dict[str, Any]:
    """One conversation; each `n` has words of its own."""
    said = answer or f"{ROOMS[n % len(ROOMS)]} Room {n} is number {n * 7919}."
    return {
        "messages": [
            {"role": "user", "content": f"Where is room {n}, next to number {n * 104729}?"},
            {"role": "assistant", "content": said},
        ]
    }


def labelled(n: int, label: str) -> dict[str, Any]:
    return {"text": f"{ROOMS[n % len(ROOMS)]} This is shop {n * 7919}.", "label": label}


def version_of(
    records: Sequence[dict[str, Any]], *, kind: Kind = Kind.CHAT, draft: bool = False, **more: Any
) -> DatasetVersion:
    """A version with these rows, indexed and hashed, frozen unless it is to be a draft."""
    lines = [canonical(record) for record in records]
    text = "".join(lines).encode()
    version: DatasetVersion = DatasetVersionFactory(
        n_examples=0,
        kind=kind.value,
        frozen_at=None,
        **more,
    )
    DatasetVersion.objects.filter(pk=version.pk).update(
        n_examples=len(records),
        n_bytes=len(text),
        sha256=hashlib.sha256(text).hexdigest(),
        frozen_at=None if draft else now(),
    )
    version.refresh_from_db()
    rows = [
        storing.prepare(Row(line, record, kind)) for line, record in enumerate(records, start=1)
    ]
    storing.insert(version, rows, first_position=0, provenance=ProvenanceFactory())
    return version


def row(draft: DatasetVersion, position: int) -> Example:
    return draft.examples.get(position=position)


def found(version: DatasetVersion, words: str) -> list[int]:
    """Positions of the rows that a search finds."""
    return [each.position for each in examples.find(version, chosen=Filter(search=words)).rows]


def positions(draft: DatasetVersion) -> list[int]:
    return [each[0] for each in content(draft)]


def content(version: DatasetVersion) -> list[tuple[Any, ...]]:
    """All that an undo must bring back, row by row."""
    rows = version.examples.filter(removed_by=None).order_by("position")
    fields = ("position", "line", "record", "question", "answer", "label", "part", "digest")
    return list(rows.values_list(*fields, "edited", "provenance"))


def sums(version: DatasetVersion) -> tuple[Any, ...]:
    version.refresh_from_db()
    return (version.n_examples, version.n_bytes, version.sha256, version.split)
