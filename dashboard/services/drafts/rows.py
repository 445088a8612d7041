"""Changing rows of a draft so that each change can be taken back."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection

from dashboard.models import DatasetEdit, DatasetVersion, EditedExample, Example
from dashboard.services import searching, storing
from trainerbot.curation import text_of
from trainerbot.formats import Row, canonical
from trainerbot.formats.rows import Kind

_TABLE = Example._meta.db_table


class Change(NamedTuple):
    """What became of rows: how many were touched, and what the version gained or lost."""

    n_rows: int = 0
    n_examples: int = 0
    n_bytes: int = 0


def rewrite(
    edit: DatasetEdit, kind: Kind, rows: Iterable[tuple[Example, dict[str, Any]]]
) -> Change:
    """Give rows other records, keeping what they said. Rows that stay the same are not touched."""
    kept: list[EditedExample] = []
    changed: list[tuple[Example, storing.Prepared, bool]] = []
    n_bytes = 0
    for row, record in rows:
        was = canonical(row.record)
        prepared = storing.prepare(Row(line=row.line, record=record, kind=kind))
        if prepared.canonical == was:
            continue
        n_bytes += _size(prepared.canonical) - _size(was)
        changed.append((row, prepared, True))
        kept.append(
            EditedExample(
                edit=edit, example=row, record=row.record, part=row.part, was_edited=row.edited
            )
        )
    EditedExample.objects.bulk_create(kept)
    _write(kind, changed)
    return Change(n_rows=len(changed), n_bytes=n_bytes)


def remove(edit: DatasetEdit, rows: Sequence[Example]) -> Change:
    """Take rows out; they come back by `restore`, until the draft is frozen."""
    Example.objects.filter(pk__in=[row.pk for row in rows]).update(removed_by=edit)
    n_bytes = sum(_size(canonical(row.record)) for row in rows)
    return Change(n_rows=len(rows), n_examples=-len(rows), n_bytes=-n_bytes)


def set_parts(edit: DatasetEdit, rows: Sequence[tuple[Example, str]]) -> Change:
    """Put rows into other parts of the split, keeping where they were."""
    moved = [(row, part) for row, part in rows if row.part != part]
    EditedExample.objects.bulk_create(
        EditedExample(edit=edit, example=row, record=None, part=row.part, was_edited=row.edited)
        for row, _ in moved
    )
    _write_parts((part, row.pk) for row, part in moved)
    return Change(n_rows=len(moved))


def add(
    draft: DatasetVersion, record: dict[str, Any], *, position: int, provenance: Any, part: str
) -> Change:
    """Put a new row behind all others."""
    prepared = storing.prepare(Row(line=position + 1, record=record, kind=Kind(draft.kind)))
    storing.insert(draft, [prepared], first_position=position, provenance=provenance, part=part)
    Example.objects.filter(version=draft, position=position).update(edited=True)
    return Change(n_rows=1, n_examples=1, n_bytes=_size(prepared.canonical))


def restore(edit: DatasetEdit, kind: Kind, *, size: int) -> int:
    """Take back some of what `edit` changed; how many rows that were, 0 when nothing is left.

    What is taken back is forgotten in the same transaction, so that it is
    never taken back twice.
    """
    before = list(EditedExample.objects.filter(edit=edit).order_by("pk")[:size])
    if before:
        said = [(each, each.record) for each in before if each.record is not None]
        examples = Example.objects.in_bulk([each.example_id for each, _ in said])
        written = []
        for each, record in said:
            row = examples[each.example_id]
            written.append((row, storing.prepare(Row(row.line, record, kind)), each.was_edited))
        _write(kind, written)
        _write_parts((each.part, each.example_id) for each in before)
        EditedExample.objects.filter(pk__in=[each.pk for each in before]).delete()
        return len(before)
    removed = list(Example.objects.filter(removed_by=edit).values_list("pk", flat=True)[:size])
    if removed:
        Example.objects.filter(pk__in=removed).update(removed_by=None)
        return len(removed)
    position = edit.state.get("position")
    if edit.verb != DatasetEdit.Verb.ADD or position is None:
        return 0
    added = Example.objects.filter(version=edit.version_id, position=position)
    searching.forget((row.pk, text_of(row.record, kind)) for row in added)
    return added.delete()[0]


def _write(kind: Kind, rows: Sequence[tuple[Example, storing.Prepared, bool]]) -> None:
    """Write records and all that is stored beside them; what was measured is to be measured anew.

    rows: each with what it says from now on, and whether that is a person's edit.
    """
    if not rows:
        return
    # A row without a digest was in no index yet.
    searching.forget(
        (row.pk, text_of(row.record, kind)) for row, _, _ in rows if row.digest is not None
    )
    mark = "%s::jsonb" if connection.vendor == "postgresql" else "%s"
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {_TABLE} SET record = {mark}, question = %s, answer = %s, label = %s, "
            "digest = %s, edited = %s, n_tokens = NULL, n_private = NULL, duplicate_of = NULL, "
            "likeness = NULL, outlier = 0 WHERE id = %s",
            [
                (
                    new.canonical,
                    new.question,
                    new.answer,
                    new.label,
                    new.digest,
                    is_edited,
                    row.pk,
                )
                for row, new, is_edited in rows
            ],
        )
    searching.add((row.pk, new.words) for row, new, _ in rows)


def _write_parts(values: Iterable[tuple[str, int]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {_TABLE} SET part = %s WHERE id = %s", list(values))


def _size(line: str) -> int:
    return len(line.encode())
