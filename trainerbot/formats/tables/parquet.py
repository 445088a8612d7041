"""Parquet, a batch of rows at a time."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from trainerbot.formats.report import Problem, of_file
from trainerbot.formats.tables.cells import NulCharacter, as_json
from trainerbot.formats.tables.heads import MAX_ROWS, Event, Heading, name_columns

BATCH_BYTES: Final = 8 * 1024 * 1024
"""What one batch should unpack to, by what the file says of itself."""

MAX_BATCH_ROWS: Final = 1024

_UNUSABLE: Final = (NulCharacter, ValueError, OverflowError, KeyError)
"""What pyarrow and `as_json` raise for single values; KeyError is a map's key given twice."""


def read(file: BinaryIO) -> Iterator[Event]:
    """Yield the events of a Parquet file.

    Nested columns come as lists and objects, dates and decimals as text,
    bytes as the UTF-8 that they hold; a column that holds other bytes is
    left out with a warning. What the file says of itself is not believed,
    but a library that believes it reads it: for `__main__` only, whose memory
    is limited.
    """
    import pyarrow
    import pyarrow.parquet

    pyarrow.set_cpu_count(1)
    try:
        table = pyarrow.parquet.ParquetFile(file, pre_buffer=False, page_checksum_verification=True)
        yield from _read(table)
    except MemoryError:
        yield of_file(
            "too_large",
            "Reading this Parquet file takes more than 1 GiB of memory. Write it again in "
            "smaller row groups, or as CSV.",
        )
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        if "crypt" in str(error).lower():
            yield of_file(
                "encrypted_file",
                "This Parquet file is encrypted. Save it without encryption and try again.",
            )
        else:
            yield of_file(
                "invalid_file_format",
                "This Parquet file is damaged, or of a kind that cannot be read. Write it again.",
            )


def _read(table: Any) -> Iterator[Event]:
    said = table.metadata.num_rows
    if said > MAX_ROWS:
        yield of_file("too_many_rows", f"This table has more than {MAX_ROWS:,} rows. Split it.")
        return
    schema = table.schema_arrow
    batches = _batches(table)
    first = next(batches, None)
    kept = []
    for index, field in enumerate(schema):
        if complaint := _complaint(field.type, first.column(index) if first else None):
            yield Problem(
                0,
                "unsupported_column",
                f'The column "{field.name[:80]}" holds {complaint}; it is left out.',
                severity="warning",
            )
        else:
            kept.append(index)
    if not kept:
        yield of_file("invalid_file_format", "This Parquet file has no column that holds text.")
        return
    heading: Heading | None = None
    for event in name_columns([schema.field(index).name for index in kept]):
        yield event
        heading = event if isinstance(event, Heading) else None
    if heading is None:
        return
    number = 0
    batch = first
    while batch is not None:
        columns = [batch.column(index) for index in kept]
        yield from _rows(columns, heading.columns, number)
        number += batch.num_rows
        batch = next(batches, None)
    if number != said:
        yield of_file(
            "invalid_file_format",
            f"This Parquet file says that it has {said:,} rows and holds {number:,}. Write it "
            "again.",
        )


def _batches(table: Any) -> Iterator[Any]:
    """Yield batches of as many rows as should fit BATCH_BYTES."""
    metadata = table.metadata
    n_bytes = sum(
        max(0, metadata.row_group(index).total_byte_size)
        for index in range(metadata.num_row_groups)
    )
    a_row = n_bytes // max(1, metadata.num_rows) + 1
    size = min(MAX_BATCH_ROWS, max(1, BATCH_BYTES // a_row))
    batches: Iterator[Any] = table.iter_batches(batch_size=size, use_threads=False)
    return batches


def _rows(columns: list[Any], names: tuple[str, ...], done: int) -> Iterator[Event]:
    try:
        values = [[as_json(value) for value in _values(column)] for column in columns]
    except _UNUSABLE:
        # One of these rows is at fault; slower, and says which.
        for index in range(len(columns[0])):
            yield _row([column.slice(index, 1) for column in columns], names, done + index + 1)
        return
    for index, cells in enumerate(zip(*values, strict=True), start=1):
        yield done + index, dict(zip(names, cells, strict=True))


def _values(column: Any) -> list[Any]:
    values: list[Any] = column.to_pylist(maps_as_pydicts="strict")
    return values


def _row(columns: list[Any], names: tuple[str, ...], line: int) -> Event:
    row: dict[str, Any] = {}
    for name, column in zip(names, columns, strict=True):
        try:
            row[name] = as_json(_values(column)[0])
        except NulCharacter:
            text = "holds a NUL character, which no text holds. Remove it."
            return _of_cell(line, name, "nul_character", text)
        except UnicodeDecodeError:
            text = "holds bytes that are not UTF-8. Leave the column out, or mend the text."
            return _of_cell(line, name, "invalid_encoding", text)
        except _UNUSABLE:
            text = "holds a date or number out of range, or a key twice. Write it as text."
            return _of_cell(line, name, "data_type", text)
    return line, row


def _of_cell(line: int, column: str, code: str, text: str) -> Problem:
    return Problem(
        line, code, f'Invalid file format. Row {line}: the column "{column[:80]}" {text}'
    )


def _complaint(kind: Any, sample: Any) -> str | None:
    """Return what a column holds when that is nothing to train on, else None.

    Bytes are judged by the first batch: old writers call text so, and others
    put pictures there.
    """
    from pyarrow import types

    if types.is_union(kind) or types.is_interval(kind):
        return f"values of the type {str(kind)[:80]}"
    if _has_bytes(kind) and sample is not None:
        try:
            for value in _values(sample):
                as_json(value)
        except UnicodeDecodeError:
            return "bytes that are no text"
        except _UNUSABLE:
            return None
    return None


def _has_bytes(kind: Any) -> bool:
    from pyarrow import types

    if types.is_nested(kind):
        return any(_has_bytes(kind.field(index).type) for index in range(kind.num_fields))
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_binary_view(kind)
    )
