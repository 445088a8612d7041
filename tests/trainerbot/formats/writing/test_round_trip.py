"""What is written comes back: every kind, in every format that can hold it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.trainerbot.formats.writing.records import OF_KIND, labelled_oddly
from trainerbot.formats import Kind, Problem, Row, detect, read, tables
from trainerbot.formats.tables import columns
from trainerbot.formats.writing import write

Records = list[dict[str, Any]]

JSONL = {Kind.CHAT: "chat-jsonl", Kind.PREFERENCE: "dpo-jsonl", Kind.UNPAIRED: "kto-jsonl"}


def read_back(path: Path, kind: Kind) -> Records:
    """Import a file as a person does: detected, then read as what it was taken for."""
    found = detect(path)
    assert found.kind is kind, found.said
    assert found.format is not None
    rows = list(read(path, format=found.format))
    assert all(row.kind is kind for row in rows if isinstance(row, Row))
    errors = [row for row in rows if isinstance(row, Problem) and row.severity == "error"]
    assert not errors, errors[0].message
    return [row.record for row in rows if isinstance(row, Row)]


@pytest.mark.parametrize("kind", Kind)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_csv_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, kind: Kind, data: st.DataObject
):
    records = data.draw(st.lists(OF_KIND[kind], min_size=1, max_size=4))
    path = tmp_path_factory.getbasetemp() / f"{kind}.csv"

    written = write(records, path, format="csv", kind=kind)

    assert written.n_examples == len(records)
    assert read_back(path, kind) == records


@given(record=labelled_oddly)
@example({"text": "", "label": ""})
@example({"text": "a", "label": "b", "name": ""})
@example({"text": "=1", "label": "'=1", "name": "''=1"})
@settings(max_examples=40, deadline=None)
def test_csv_holds_any_text_and_any_key(
    tmp_path_factory: pytest.TempPathFactory, record: dict[str, Any]
):
    path = tmp_path_factory.getbasetemp() / "odd.csv"

    write([record], path, format="csv", kind=Kind.LABELLED)

    (row,) = tables.rows(path)
    assert not isinstance(row, Problem)
    assert columns.from_row(row[1], Kind.LABELLED) == record


@pytest.mark.parametrize("kind", Kind)
@given(data=st.data())
@settings(max_examples=2, deadline=None)
def test_parquet_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, kind: Kind, data: st.DataObject
):
    records = data.draw(st.lists(OF_KIND[kind], min_size=1, max_size=12))
    path = tmp_path_factory.getbasetemp() / f"{kind}.parquet"

    write(records, path, format="parquet", kind=kind)

    # One look, since each takes a process; what follows it is the same for CSV.
    rows = [row[1] for row in tables.rows(path) if not isinstance(row, Problem)]
    assert {columns.kind_of(tuple(row)) for row in rows} == {kind}
    assert [columns.from_row(row, kind) for row in rows] == records


def test_parquet_is_known_as_ours(tmp_path: Path):
    path = tmp_path / "out.parquet"
    record = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}

    write([record], path, format="parquet", kind=Kind.CHAT)

    assert read_back(path, Kind.CHAT) == [record]


@pytest.mark.parametrize("kind", JSONL)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_json_lines_give_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, kind: Kind, data: st.DataObject
):
    records = data.draw(st.lists(OF_KIND[kind], min_size=1, max_size=4))
    path = tmp_path_factory.getbasetemp() / f"{kind}.jsonl"

    write(records, path, format=JSONL[kind], kind=kind)

    assert read_back(path, kind) == records


@given(st.lists(OF_KIND[Kind.LABELLED], min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_a_labelled_array_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, records: Records
):
    path = tmp_path_factory.getbasetemp() / "labelled.json"

    write(records, path, format="labelled-json", kind=Kind.LABELLED)

    assert read_back(path, Kind.LABELLED) == records


@pytest.mark.parametrize("format", ["csv", "parquet"])
@pytest.mark.parametrize("kind", Kind)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_columns_give_back_each_record(kind: Kind, format: str, data: st.DataObject):
    record = data.draw(OF_KIND[kind])
    into = columns.to_texts if format == "csv" else columns.to_nested

    assert columns.from_row(into(record, kind), kind) == record
