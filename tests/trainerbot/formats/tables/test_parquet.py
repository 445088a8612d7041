"""Parquet: rows as JSON has them, and hostile files refused in words."""

import datetime
import decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainerbot.formats import Problem, tables

MESSAGES = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]


def write(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pyarrow.parquet.write_table(pyarrow.table(columns), path, **options)
    return path


def read(path: Path) -> tuple[list[Any], list[Problem]]:
    events = list(tables.rows(path))
    return (
        [event for event in events if not isinstance(event, Problem)],
        [event for event in events if isinstance(event, Problem)],
    )


def test_nested_columns_and_typed_values_come_as_json(tmp_path: Path):
    path = write(
        tmp_path / "a.parquet",
        {
            "messages": [MESSAGES, None],
            "label": [True, False],
            "score": [0.5, float("nan")],
            "price": [decimal.Decimal("1.50"), None],
            "day": [datetime.date(2026, 1, 31), None],
            "at": [datetime.datetime(2026, 1, 31, 14, 5, tzinfo=datetime.UTC), None],
            "tags": pyarrow.array([{"a": 1}, None], pyarrow.map_("string", "int64")),
        },
    )

    rows, problems = read(path)

    assert not problems
    assert rows[0] == (
        1,
        {
            "messages": MESSAGES,
            "label": True,
            "score": 0.5,
            "price": "1.50",
            "day": "2026-01-31",
            "at": "2026-01-31 14:05+00:00",
            "tags": {"a": 1},
        },
    )
    assert rows[1][1] == dict.fromkeys(rows[0][1]) | {"label": False}


def test_bytes_come_as_text_and_pictures_are_left_out(tmp_path: Path):
    path = write(
        tmp_path / "a.parquet",
        {"text": [b"hi", b"\xd0\xb4\xd0\xb0"], "image": [b"\x89PNG", b"\xff\xd8"]},
    )

    rows, problems = read(path)

    assert rows == [(1, {"text": "hi"}), (2, {"text": "да"})]
    assert [(p.severity, p.code) for p in problems] == [("warning", "unsupported_column")]
    assert '"image" holds bytes that are no text' in problems[0].message


def test_one_unusable_cell_costs_one_row(tmp_path: Path):
    times = pyarrow.array([1, 2**52, 3], pyarrow.timestamp("s"))
    path = write(tmp_path / "a.parquet", {"text": ["a", "b", "c\0"], "at": times})

    rows, problems = read(path)

    assert [line for line, _ in rows] == [1]
    assert [(p.line, p.code) for p in problems] == [(2, "data_type"), (3, "nul_character")]


def test_columns_of_one_name_both_come(tmp_path: Path):
    path = tmp_path / "a.parquet"
    table = pyarrow.Table.from_arrays([pyarrow.array(["x"]), pyarrow.array(["y"])], ["a", "a"])
    pyarrow.parquet.write_table(table, path)

    assert read(path)[0] == [(1, {"a": "x", "a (2)": "y"})]


def test_a_small_file_of_huge_values_takes_bounded_memory(tmp_path: Path):
    value = "x" * 8 * 2**20
    table = pyarrow.table({"text": pyarrow.DictionaryArray.from_arrays([0] * 2000, [value])})
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(table, path, compression="zstd")

    problems = [event for event in tables.rows(path) if isinstance(event, Problem)]

    assert path.stat().st_size < 2**20
    assert [(p.line, p.code) for p in problems] == [(0, "too_large")]


def test_more_rows_than_we_bear_are_refused_unread(tmp_path: Path):
    path = tmp_path / "a.parquet"
    with pyarrow.parquet.ParquetWriter(path, pyarrow.schema([("a", pyarrow.null())])) as writer:
        writer.write_table(pyarrow.table({"a": pyarrow.nulls(10_000_001)}))

    assert [(p.line, p.code) for p in read(path)[1]] == [(0, "too_many_rows")]


@pytest.mark.parametrize("damage", ["cut", "footer length", "zeroed", "encrypted footer"])
def test_a_damaged_file_is_refused_in_words(tmp_path: Path, damage: str):
    path = write(tmp_path / "a.parquet", {"text": ["hello"] * 1000})
    content = bytearray(path.read_bytes())
    match damage:
        case "cut":
            del content[-100:]
        case "footer length":
            content[-8:-4] = (2**31 - 1).to_bytes(4, "little")
        case "zeroed":
            content[4:60] = bytes(56)
        case "encrypted footer":
            content[:4] = content[-4:] = b"PARE"
    path.write_bytes(content)

    rows, problems = read(path)

    assert not rows
    assert [p.line for p in problems] == [0]
    assert problems[0].code == (
        "encrypted_file" if "encrypted" in damage else "invalid_file_format"
    )


@given(st.data())
@settings(max_examples=5, deadline=None)
def test_damage_raises_nothing(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    path = tmp_path_factory.getbasetemp() / "damaged.parquet"
    write(path, {"messages": [MESSAGES] * 3, "label": ["a", "b", "c"]})
    content = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(4, len(content) - 5), min_size=1, max_size=4)):
        content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(content)

    for event in tables.rows(path):
        assert isinstance(event, Problem | tuple)
