"""Telling what a file is, in words, before anything is read from it for good."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, Final

from trainerbot.formats import mapping
from trainerbot.formats.catalogue import FORMATS, convert_labelled, left_out, shape_of
from trainerbot.formats.conversion import convert
from trainerbot.formats.counting import count_rows
from trainerbot.formats.reading import read
from trainerbot.formats.recognition import HEAD_BYTES, describe_row
from trainerbot.formats.records.corrections import begins_like_a_log
from trainerbot.formats.records.item import Item
from trainerbot.formats.report import Problem, of_file
from trainerbot.formats.rows import Kind, Options, Row
from trainerbot.formats.sources.contents import Contents, look_into
from trainerbot.formats.sources.layout import Layout, lay_out, read_items
from trainerbot.formats.sources.members import Member, clean, shown
from trainerbot.formats.sources.plain import on_disk
from trainerbot.formats.tables import TableHead
from trainerbot.formats.tables.columns import kind_of

N_SAMPLE: Final = 5
_N_LOOKED_AT: Final = 20
_COLUMNS_SHOWN: Final = 12
_NO_LABEL: Final = "\N{EMPTY SET}"

# Shapes that a mapping expresses as well, and lets one change.
_MAPPED: Final = frozenset({"prompt-completion", "question-answer", "labelled-json"})
_LAID_OUT: Final = {"lines": "(JSONL)", "array": "in a JSON array", "values": "in JSON"}


@dataclass(frozen=True, slots=True)
class Detected:
    """What a file was taken for, and what else it may be.

    said: one sentence for a person. format: None when it cannot be told;
    `problem` then says why and what to do. columns, mapping, sheets: of a
    table, the mapping being a proposal. sample: the first 5 rows or problems
    as they would be read; a text without a class has the label "".
    alternatives: other formats in which the first row can be read.
    """

    format: str | None
    kind: Kind | None
    said: str
    columns: tuple[str, ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    sheets: tuple[str, ...] = ()
    sample: tuple[Row | Problem, ...] = ()
    alternatives: tuple[str, ...] = ()
    problem: Problem | None = None


def detect(path: str | os.PathLike[str], *, filename: str = "") -> Detected:
    """Return what a file, a folder or a ZIP archive holds, told by its content.

    `filename` is what a person calls it, and decides only where the content
    fits several formats. Raises OSError when it cannot be read, StorageFull
    when there is no room to unpack it.
    """
    source = Path(path)
    with look_into(source) as contents:
        if isinstance(contents, Problem):
            return _unknown(contents)
        if contents.are_texts:
            found = _texts(contents)
        else:
            first = contents.members[0]
            called = filename if contents.container == "file" and filename else first.name
            found = _detect_member(first, called, n_files=len(contents.members))
            for other in contents.members[1:_N_LOOKED_AT]:
                also = _detect_member(other, other.name, n_files=1)
                if (also.format, also.columns) != (found.format, found.columns):
                    return _unknown(_unlike(contents, first, found, other, also))
        if contents.container == "archive":
            found = replace(found, said=f"{found.said} (In a ZIP archive.)")
    if found.format is None:
        return found
    if found.problem is not None:
        return found
    options = Options(mapping=found.mapping, label=_NO_LABEL)
    rows = islice(read(source, format=found.format, options=options), N_SAMPLE)
    return replace(found, sample=tuple(map(_without_label, rows)))


def _without_label(row: Row | Problem) -> Row | Problem:
    """Return a row of the sample without the label that only stood in for one."""
    if isinstance(row, Row) and row.record.get("label") == _NO_LABEL:
        return replace(row, record={**row.record, "label": ""})
    return row


def _detect_member(member: Member, called: str, *, n_files: int) -> Detected:
    with on_disk(member) as plain:
        if isinstance(plain, Problem):
            return _unknown(plain)
        return _detect_plain(plain, called, n_files=n_files)


def _unlike(
    contents: Contents, first: Member, found: Detected, other: Member, also: Detected
) -> Problem:
    """Return the problem of two files that would be read in different ways."""
    titles = [FORMATS[each.format].title if each.format else "unknown" for each in (found, also)]
    return of_file(
        "mixed_files",
        f"The files of this {contents.container} are not alike: {shown(first.name)} looks like "
        f"{titles[0]}, {shown(other.name)} like {titles[1]}. Give one kind at a time.",
    )


def _texts(contents: Contents) -> Detected:
    n_files = len(contents.members)
    counted = f"{n_files:,} files of one text each" if n_files > 1 else "one file of one text"
    return Detected(
        "texts",
        Kind.LABELLED,
        f"Plain texts: {counted}. They need one label for all.",
    )


def _detect_plain(path: Path, called: str, *, n_files: int) -> Detected:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    layout = lay_out(path, filename=called)
    if begins_like_a_log(head) and not isinstance(layout, Problem):
        return Detected(
            "corrections-log",
            Kind.CHAT,
            "The original bot's log of corrections. It does not hold what was asked: the bot's "
            "words become the question, the correction the answer.",
            alternatives=("texts",),
        )
    if isinstance(layout, Problem):
        return _unknown(layout)
    if isinstance(layout, TableHead):
        return _detect_table(path, layout, n_files)
    if layout == "text":
        return _detect_text(path, called)
    return _detect_json(path, layout, called, n_files)


def _detect_text(path: Path, called: str) -> Detected:
    suffix = PurePosixPath(called.lower()).suffix
    if suffix in (".json", ".jsonl", ".ndjson"):
        return _unknown(of_file("invalid_file_format", "This file is not JSON, as its name says."))
    return Detected(
        "texts",
        Kind.LABELLED,
        f"One plain text of {path.stat().st_size:,} bytes. It needs a label.",
    )


def _detect_json(path: Path, layout: Layout, called: str, n_files: int) -> Detected:
    name = PurePosixPath(called.replace("\\", "/")).name.lower()
    first: Item | None = None
    shape: str | None = None
    others: set[str] = set()
    broken: Problem | None = None
    # Elements may be large: but one of them is kept.
    for item in islice(read_items(path, layout), _N_LOOKED_AT):
        if isinstance(item, Problem):
            broken = broken or item
            continue
        looks_like = shape_of(item.value, called=name)
        if first is None or (shape is None and looks_like):
            first, shape = item, looks_like
        elif looks_like and looks_like != shape:
            others.add(looks_like)
    if first is None:
        return _unknown(broken or of_file("empty_file", "This file holds no row."))
    if shape is None:
        return _detect_unshaped(first.value, path, layout, n_files)
    alternatives = _alternatives(first, shape)
    counted = _counted(path, layout, n_files)
    title = FORMATS[shape].title
    if shape == "job-ids":
        said = "The original bot's job ids: a list of training jobs, no training data."
        return Detected(shape, None, said, alternatives=alternatives)
    keys = _shown(tuple(first.value)) if isinstance(first.value, dict) else FORMATS[shape].keys
    said = f"{title[0].upper()}{title[1:]}: {counted} of {keys} {_LAID_OUT[layout]}."
    if isinstance(first.value, dict):
        said += _said_left_out(first.value, shape)
    if others:
        titles = ", ".join(FORMATS[each].title for each in sorted(others))
        said = f"{said} Not all rows look alike: some are {titles}."
    if shape == "labelled-json" and isinstance(first.value, dict) and "label" not in first.value:
        said = f"{said} They need one label for all."
    return Detected(shape, FORMATS[shape].kind, said, alternatives=alternatives)


def _said_left_out(record: Mapping[str, Any], shape: str) -> str:
    """Return a sentence about the keys that are not read, or ""."""
    keys = left_out(record, shape)
    return f" Left out: {_shown(keys)}." if keys else ""


def _detect_unshaped(value: Any, path: Path, layout: Layout, n_files: int) -> Detected:
    """Tell what can be told of records whose keys no format has."""
    if not isinstance(value, dict):
        text = "The rows are no JSON objects with keys, so nothing says what they mean."
        return _unknown(of_file("unknown_format", text))
    if known := describe_row(value):
        text = f"This looks like {known}, which is no training data."
        return _unknown(of_file("unknown_format", text))
    lists = [key for key, held in value.items() if isinstance(held, list) and _are_objects(held)]
    if lists or layout == "values" or any(isinstance(held, dict) for held in value.values()):
        inside = f' Its rows may lie in "{lists[0][:40]}": give that list alone.' if lists else ""
        return _unknown(of_file("unknown_format", f"This JSON has the keys of no format.{inside}"))
    columns = tuple(value)
    said = f"JSON of other keys: {_counted(path, layout, n_files)} of {_shown(columns)}."
    return _mapped(said, columns)


def _are_objects(values: list[Any]) -> bool:
    return bool(values) and isinstance(values[0], dict)


def _detect_table(path: Path, table: TableHead, n_files: int) -> Detected:
    columns = table.columns
    row = table.rows[0] if table.rows else dict.fromkeys(columns, "")
    shape = shape_of({column.strip().lower(): value for column, value in row.items()})
    exact = shape_of(row)
    counted = _counted(path, table, n_files)
    kind = table.kind.upper() if table.kind != "parquet" else "Parquet"
    head = f"{kind} table: {counted} of {_shown(columns)}."
    if (ours := kind_of(columns)) is not None:
        said = f"A table that TrainerBot wrote: {head}"
        found = Detected("exported-table", ours, said, alternatives=("table",))
    elif shape == exact == "dialogue":
        said = f"A chat table: {head} Each answer with its question becomes an example."
        found = Detected("chat-csv", Kind.CHAT, said, alternatives=("table",))
    elif exact is not None and exact not in _MAPPED and exact != "job-ids":
        title = FORMATS[exact].title
        said = f"{title[0].upper()}{title[1:]}: {head}{_said_left_out(row, exact)}"
        found = Detected(exact, FORMATS[exact].kind, said, alternatives=("table",))
    else:
        found = _mapped(head, columns)
    if len(table.sheets) > 1:
        said = f"{found.said} Of {len(table.sheets)} sheets the first is read."
        found = replace(found, said=said)
    return replace(found, columns=columns, sheets=table.sheets)


def _mapped(said: str, columns: tuple[str, ...]) -> Detected:
    proposed = mapping.propose(columns)
    kind = mapping.kind_of(proposed, label="")
    if kind is None:
        needed = mapping.needed(columns)
        return Detected("table", None, said, columns=columns, problem=needed)
    pairs = ", ".join(f"{ours} from {theirs}" for ours, theirs in proposed.items())
    without = " They need one label for all." if mapping.kind_of(proposed) is None else ""
    said = f"{said} Proposed: {pairs}.{without}"
    return Detected("table", kind, said, columns=columns, mapping=proposed)


def _alternatives(first: Item, shape: str) -> tuple[str, ...]:
    """Return the other formats that make a row of the first record."""
    found = []
    for name, format in FORMATS.items():
        by = convert_labelled(_NO_LABEL) if name == "labelled-json" else format.convert
        if name == shape or by is None or format.kind is None:
            continue
        if any(
            isinstance(row, Row) for row in convert(first, format=name, kind=format.kind, by=by)
        ):
            found.append(name)
    if isinstance(first.value, dict) and shape != "job-ids":
        found.append("table")
    return tuple(found)


def _counted(path: Path, layout: Layout | TableHead, n_files: int) -> str:
    counted = count_rows(path, layout)
    if n_files > 1:
        return f"{n_files:,} files, {counted} in the first,"
    return counted


def _shown(columns: tuple[str, ...]) -> str:
    more = f" and {len(columns) - _COLUMNS_SHOWN} more" if len(columns) > _COLUMNS_SHOWN else ""
    return ", ".join(clean(column[:40]) for column in columns[:_COLUMNS_SHOWN]) + more


def _unknown(problem: Problem) -> Detected:
    return Detected(None, None, problem.message, problem=problem)
