"""Writing many examples at once: one statement a batch, and their words into the search index.

Django's own bulk_create spends more time on a row than the database does;
a million rows would take minutes. So the columns are named here, and
`tests/dashboard/services/test_storing.py` holds them against the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from dashboard.models import DatasetVersion, Example, Provenance
from dashboard.services import searching
from trainerbot.curation import fingerprint, text_of
from trainerbot.formats import Row, canonical
from trainerbot.formats.glance import glance
from trainerbot.formats.rows import Kind
from trainerbot.formats.spelling import is_plain

MAX_LABEL: Final = 100
SHOWN: Final = 500  # characters of a question or an answer that lists have
_TABLE: Final = Example._meta.db_table
_COLUMNS: Final = (
    "version_id",
    "position",
    "line",
    "record",
    "question",
    "answer",
    "label",
    "part",
    "provenance_id",
    "digest",
    "outlier",
    "edited",
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One row ready to be stored: its canonical line, and what lists and search want of it."""

    line: int
    canonical: str
    question: str
    answer: str
    label: str
    digest: int
    words: str
    source: str = ""  # what a mark of the row told


def prepare(row: Row) -> Prepared:
    """Take from a record all that is stored beside it."""
    record, kind = row.record, row.kind
    if kind is Kind.CHAT and is_plain(record):
        messages = record["messages"]
        words = "\n".join([message["content"] for message in messages])
    else:
        words = text_of(record, kind)
    seen = glance(record, kind)
    return Prepared(
        line=row.line,
        canonical=canonical(record),
        question=seen.question[:SHOWN],
        answer=seen.answer[:SHOWN],
        label=seen.label[:MAX_LABEL],
        digest=fingerprint(record, kind),
        words=words,
        source=row.source,
    )


def insert(
    version: DatasetVersion,
    rows: Sequence[Prepared],
    *,
    first_position: int,
    provenance: Provenance,
    part: str = "",
) -> None:
    """Store `rows` at `first_position` and after. Call it in a transaction."""
    origins = [(provenance.pk, part)] * len(rows)
    insert_from(version, rows, origins, first_position=first_position)


def insert_from(
    version: DatasetVersion,
    rows: Sequence[Prepared],
    origins: Sequence[tuple[int, str]],
    *,
    first_position: int,
) -> None:
    """Store `rows`, each with the key of its provenance and its part. Call it in a transaction."""
    if not rows:
        return
    values = [
        (
            version.pk,
            first_position + index,
            row.line,
            row.canonical,
            row.question,
            row.answer,
            row.label,
            part,
            provenance,
            row.digest,
            0,
            False,
        )
        for index, (row, (provenance, part)) in enumerate(zip(rows, origins, strict=True))
    ]
    if connection.vendor == "sqlite":
        first_pk = _next_pk()
        _execute(("id", *_COLUMNS), [(first_pk + i, *row) for i, row in enumerate(values)])
        searching.add((first_pk + index, row.words) for index, row in enumerate(rows))
    else:
        _execute(_COLUMNS, values)


def _next_pk() -> int:
    """The key after the last one ever given; this transaction is the only one that writes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [_TABLE])
        found = cursor.fetchone()
    return (found[0] if found else 0) + 1


def _execute(columns: Sequence[str], values: Sequence[tuple[Any, ...]]) -> None:
    marks = ", ".join("%s::jsonb" if _is_json(name) else "%s" for name in columns)
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {_TABLE} ({names}) VALUES ({marks})", values)


def _is_json(column: str) -> bool:
    return column == "record" and connection.vendor == "postgresql"
