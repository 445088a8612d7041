"""Records as Parquet, a row group at a time."""

from collections.abc import Iterable
from typing import Any, BinaryIO, Final

from trainerbot.formats.rows import Kind
from trainerbot.formats.tables import columns

GROUP_ROWS: Final = 10_000
GROUP_BYTES: Final = 8 * 1024 * 1024


def put(records: Iterable[tuple[dict[str, Any], bytes]], file: BinaryIO, kind: Kind) -> None:
    """Write the columns of a kind, compressed, in row groups of about 8 MiB at most.

    Each record comes with its canonical line, which says how large it is.
    """
    import pyarrow
    import pyarrow.parquet

    schema = _schema(kind)
    with pyarrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        group: list[dict[str, Any]] = []
        n_bytes = 0
        for record, line in records:
            group.append(columns.to_nested(record, kind))
            n_bytes += len(line)
            if len(group) == GROUP_ROWS or n_bytes > GROUP_BYTES:
                writer.write_table(pyarrow.Table.from_pylist(group, schema))
                group.clear()
                n_bytes = 0
        if group:
            writer.write_table(pyarrow.Table.from_pylist(group, schema))


def _schema(kind: Kind) -> Any:
    import pyarrow

    text = pyarrow.string()
    messages = pyarrow.list_(pyarrow.struct([("role", text), ("content", text)]))
    of = {
        Kind.CHAT: {"messages": messages},
        Kind.PREFERENCE: {"prompt": messages, "chosen": messages, "rejected": messages},
        Kind.UNPAIRED: {"prompt": messages, "completion": messages, "label": pyarrow.bool_()},
        Kind.LABELLED: {},
    }[kind]
    return pyarrow.schema([(name, of.get(name, text)) for name in columns.nested_columns(kind)])
