"""Records into a file of one of the formats that we write."""

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from trainerbot.errors import InvalidInput
from trainerbot.formats.jsonl import MAX_LINE_BYTES
from trainerbot.formats.marks import marked, source_of
from trainerbot.formats.recognition import BOM
from trainerbot.formats.rows import Kind
from trainerbot.formats.spelling import canonical
from trainerbot.formats.tables import columns, formulas
from trainerbot.formats.tables.heads import MAX_ROW_CHARS
from trainerbot.formats.writing.conversion import convert, refuse_conversion
from trainerbot.formats.writing.files import Written, digest, whole_file

# The kind of records that a format holds; None for tables, which hold any.
_TARGETS: Final[Mapping[str, Kind | None]] = {
    "chat-jsonl": Kind.CHAT,
    "dpo-jsonl": Kind.PREFERENCE,
    "kto-jsonl": Kind.UNPAIRED,
    "labelled-json": Kind.LABELLED,
    "csv": None,
    "parquet": None,
}

FORMATS: Final = tuple(_TARGETS)

_TOO_LONG: Final = f"it is longer than {MAX_LINE_BYTES // 2**20} MiB"
_TOO_LONG_A_ROW: Final = f"its row is longer than {MAX_ROW_CHARS // 2**20} million characters"
_HALF: Final = "it holds half a character (a lone surrogate)"


def write(
    records: Iterable[Mapping[str, Any]],
    path: str | os.PathLike[str],
    *,
    format: str,
    kind: Kind,
    labels: Sequence[str] = (),
) -> Written:
    """Write records of one kind to a file, which is whole or not there.

    `format` is one of FORMATS. Chat, DPO and KTO are JSON lines in their one
    spelling, labelled-json an array, CSV is UTF-8 with a byte order mark and
    harmless to spreadsheets. Where the format holds another kind, records
    become it: a labelled text a choice among `labels`, a preference its
    preferred answer or two judged ones, a right answer a chat, a weighted
    chat a judged one. One record is held at a time (a batch of 1,000 for
    Parquet); what cannot be written is counted in `left_out`.

    Raises InvalidInput for a kind that the format cannot hold, for labelled
    texts as chats without `labels`, and when no record is left, StorageFull, OSError.
    """
    if format not in _TARGETS:
        raise InvalidInput(
            f"There is no format {format[:40]!r}. Choose one of {', '.join(FORMATS)}."
        )
    target = _TARGETS[format] or kind
    refuse_conversion(kind, target)
    if kind is Kind.LABELLED and target is Kind.CHAT and not labels:
        raise InvalidInput("Labelled texts become chats only when their labels are named.")
    sieve = Sieve(records, kind, target, labels)
    path = Path(path)
    with whole_file(path) as file:
        _put(sieve, file, format=format, kind=target)
        if not sieve.n_examples:
            why = f" ({next(iter(sieve.left_out))})" if sieve.left_out else ""
            raise InvalidInput(f"There is no example to write{why}. Nothing was written.")
    n_bytes, sha256 = digest(path)
    return Written(
        n_examples=sieve.n_examples,
        n_bytes=n_bytes,
        sha256=sha256,
        n_left_out=sieve.left_out.total(),
        left_out=dict(sieve.left_out),
    )


def _put(sieve: "Sieve", file: BinaryIO, *, format: str, kind: Kind) -> None:
    match format:
        case "csv":
            _put_csv(sieve, file, kind)
        case "parquet":
            from trainerbot.formats.writing import parquet

            parquet.put(sieve, file, kind)
        case "labelled-json":
            _put_array(sieve, file)
        case _:
            file.writelines(line for _, line in sieve)


def _put_array(sieve: "Sieve", file: BinaryIO) -> None:
    before = b"[\n"
    for _, line in sieve:
        file.write(before + line.rstrip(b"\n"))
        before = b",\n"
    file.write(b"\n]\n")


def _put_csv(sieve: "Sieve", file: BinaryIO, kind: Kind) -> None:
    """Write the columns of a kind; Excel knows UTF-8 by the byte order mark only."""
    names = columns.text_columns(kind)
    row = io.StringIO(newline="")
    writer = csv.writer(row)
    writer.writerow(names)
    file.write(BOM + row.getvalue().encode())
    for record, _ in sieve:
        row.seek(0)
        row.truncate()
        cells = columns.to_texts(record, kind)
        writer.writerow([formulas.protect(cells[name]) for name in names])
        if row.tell() > MAX_ROW_CHARS:
            sieve.take_back(_TOO_LONG_A_ROW)
        else:
            file.write(row.getvalue().encode())


class Sieve:
    """The records to write, converted, each with its canonical line; and what is left out."""

    def __init__(
        self,
        records: Iterable[Mapping[str, Any]],
        kind: Kind,
        target: Kind,
        labels: Sequence[str],
    ) -> None:
        self._records = records
        self._kind = kind
        self._target = target
        self._labels = labels
        self.n_examples = 0
        self.left_out: Counter[str] = Counter()

    def __iter__(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        for record in self._records:
            made = convert(record, self._kind, self._target, labels=self._labels)
            if isinstance(made, str):
                self.left_out[made] += 1
                continue
            # A mark outlives the change into another kind.
            source = "" if self._kind is self._target else source_of(record)
            for each in made:
                example = marked(each, source) if source else each
                try:
                    line = canonical(example).encode()
                except UnicodeEncodeError:
                    self.left_out[_HALF] += 1
                    continue
                if len(line) > MAX_LINE_BYTES:
                    self.left_out[_TOO_LONG] += 1
                    continue
                self.n_examples += 1
                yield example, line

    def take_back(self, reason: str) -> None:
        """Count the example given last as left out."""
        self.n_examples -= 1
        self.left_out[reason] += 1
