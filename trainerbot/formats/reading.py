"""Reading a file of any known format: rows of ours, and problems, in its own order."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from trainerbot.errors import InvalidInput
from trainerbot.formats import mapping
from trainerbot.formats.catalogue import FORMATS, KEPT_AS, Convert, convert_labelled
from trainerbot.formats.chat import read_chat_jsonl, read_chat_lines
from trainerbot.formats.conversion import checked, convert
from trainerbot.formats.marks import source_of, unmarked
from trainerbot.formats.records.conversations import from_pair, from_sharegpt
from trainerbot.formats.records.corrections import read_corrections
from trainerbot.formats.records.dialogue import read_dialogue
from trainerbot.formats.records.item import Item
from trainerbot.formats.records.judged import from_preference_pair
from trainerbot.formats.records.refusal import Refused
from trainerbot.formats.records.texts import read_text
from trainerbot.formats.report import Problem, of_file
from trainerbot.formats.rows import Kind, Options, Row
from trainerbot.formats.sources.contents import Contents, look_into
from trainerbot.formats.sources.layout import Layout, lay_out, read_items, read_raw
from trainerbot.formats.sources.plain import on_disk
from trainerbot.formats.tables import TableHead
from trainerbot.formats.tables.columns import from_row, kind_of
from trainerbot.formats.tables.formulas import restore_row

Found = Iterator[Row | Problem]

_NO_OPTIONS = Options()


def read(
    path: str | os.PathLike[str], *, format: str, options: Options = _NO_OPTIONS
) -> Iterator[Row | Problem]:
    """Yield every usable row of a file, folder or ZIP archive, and every problem, in order.

    `format` is one of FORMATS. A row's warnings come before it; a row with an
    error does not come. Rows of several files have the file's name as their
    `place`, and their line counts within it. Holds one element at a time (at
    most 16 MiB) and never raises for what is in the file. Raises InvalidInput
    for an unknown format, OSError when the file itself cannot be read, and
    StorageFull when there is no room to unpack it.
    """
    if format not in FORMATS:
        raise InvalidInput(f'There is no format "{format[:40]}". Use {", ".join(FORMATS)}.')
    if options.label is not None and not options.label.strip():
        options = replace(options, label=None)
    return _read(Path(path), format, options)


def _read(path: Path, format: str, options: Options) -> Found:
    with look_into(path) as contents:
        if isinstance(contents, Problem):
            yield contents
            return
        yield from contents.problems
        yield from _read_members(contents, format, options)


def _read_members(contents: Contents, format: str, options: Options) -> Found:
    named = contents.many or (format == "texts" and contents.container != "file")
    for number, member in enumerate(contents.members, 1):
        place = member.name if named else ""
        with on_disk(member) as plain:
            if isinstance(plain, Problem):
                yield _placed(plain, place)
                if plain.code == "zip_bomb":
                    return
                continue
            if format == "texts":
                rows = _read_text(plain, number if named else 1, member.name, options.label)
            else:
                rows = read_plain(plain, format=format, options=options, filename=member.name)
            for row in rows:
                yield _placed(row, place)


def read_plain(path: Path, *, format: str, options: Options, filename: str = "") -> Found:
    """Yield the rows of one plain file, as `read` does."""
    if format == "corrections-log":
        yield from _chats(read_corrections(path))
        return
    layout = lay_out(path, filename=filename)
    if isinstance(layout, Problem):
        yield layout
    elif format == "job-ids":
        return
    elif format == "chat-jsonl" and not isinstance(layout, TableHead):
        # What was not told to be lines gets the complaints of JSONL.
        cut = read_raw(path, layout) if layout in ("array", "values") else None
        for example in read_chat_jsonl(path) if cut is None else read_chat_lines(cut):
            if isinstance(example, Problem):
                yield example
            else:
                record, source = unmarked(example.record)
                yield Row(example.line, record, Kind.CHAT, source=source)
    elif format in ("dialogue", "chat-csv"):
        yield from _chats(read_dialogue(read_items(path, layout, sheet=options.sheet)))
    elif format == "table":
        yield from _read_mapped(path, layout, options)
    elif format == "exported-table":
        yield from _read_exported(path, layout, options)
    else:
        by = FORMATS[format].convert or convert_labelled(options.label)
        kind = FORMATS[format].kind or Kind.CHAT
        for item in read_items(path, layout, sheet=options.sheet):
            if isinstance(item, Problem):
                yield item
            else:
                yield from convert(item, format=format, kind=kind, by=by)


def _read_mapped(path: Path, layout: Layout | TableHead, options: Options) -> Found:
    """Yield the rows of a table, or of JSON objects of any keys, through the mapping."""
    kind = mapping.kind_of(options.mapping, label=options.label)
    by = _conversion(options)
    looked_at = False
    for item in read_items(path, layout, sheet=options.sheet):
        if isinstance(item, Problem):
            yield item
            continue
        row = item.value if isinstance(item.value, dict) else {}
        if not looked_at:
            looked_at = True
            columns = layout.columns if isinstance(layout, TableHead) and not options.sheet else row
            if refusal := mapping.refuse(options, columns):
                yield refusal
                return
        if kind is not None:
            mapped = Item(item.line, mapping.apply(options.mapping, row), item.from_table)
            for found in convert(mapped, format="table", kind=kind, by=by):
                yield _in_their_words(_sourced(found, row), options.mapping)


def _sourced(found: Row | Problem, row: dict[str, Any]) -> Row | Problem:
    """Return the row with the source that a mark tells, whichever columns were chosen."""
    source = source_of(row)
    return replace(found, source=source) if source and isinstance(found, Row) else found


def _in_their_words(found: Row | Problem, columns: Mapping[str, str]) -> Row | Problem:
    """Return a problem with the name of the column that the person knows."""
    if isinstance(found, Row):
        return found
    message = found.message
    for ours, theirs in columns.items():
        message = message.replace(f'key "{ours}"', f'column "{theirs}"', 1)
    return replace(found, message=message)


def _read_exported(path: Path, layout: Layout | TableHead, options: Options) -> Found:
    """Yield the rows of a table that `formats.write` made, each as it was."""
    kind = kind_of(layout.columns) if isinstance(layout, TableHead) else None
    if kind is None or not isinstance(layout, TableHead):
        text = "This is no table that TrainerBot wrote: its columns have other names."
        yield of_file("invalid_file_format", text)
        return
    format = KEPT_AS[kind]
    by = FORMATS[format].convert or convert_labelled(options.label)
    for item in read_items(path, layout, sheet=options.sheet):
        if isinstance(item, Problem):
            yield item
            continue
        # Somebody opened our CSV in a spreadsheet and kept it as a workbook.
        row = restore_row(item.value) if layout.kind == "xlsx" else item.value
        record = from_row(row, kind, line=item.line)
        if isinstance(record, Problem):
            yield record
        else:
            yield from convert(Item(item.line, record), format=format, kind=kind, by=by)


def _conversion(options: Options) -> Convert:
    """Return what reads a mapped row: our names are the keys of these formats."""
    if options.mapping.get("messages"):
        return from_sharegpt
    if options.mapping.get("chosen"):
        return from_preference_pair
    if options.mapping.get("completion"):
        return from_pair
    return convert_labelled(options.label)


def _read_text(path: Path, line: int, name: str, label: str | None) -> Found:
    try:
        yield Row(line, read_text(path, name=name, label=label), Kind.LABELLED)
    except Refused as refused:
        yield refused.as_problem(line)


def _chats(found: Iterator[tuple[int, dict[str, object]] | Problem]) -> Found:
    for each in found:
        if isinstance(each, Problem):
            yield each
        else:
            yield from checked(Row(*each, Kind.CHAT))


def _placed(row: Row | Problem, place: str) -> Row | Problem:
    """Return the row or problem with the name of the file that it is in."""
    if not place:
        return row
    if isinstance(row, Row):
        return replace(row, place=place)
    return replace(row, place=place, message=f"{place}: {row.message}")
