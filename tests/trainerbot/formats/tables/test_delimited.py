"""CSV and its kin: what comes in as rows, and what is said of the rest."""

import csv
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainerbot.formats import Problem, detect, tables
from trainerbot.formats.tables import formulas, heads

Rows = list[tuple[int, dict[str, object]]]


def read(tmp_path: Path, content: bytes | str) -> tuple[Rows, list[Problem]]:
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    rows: Rows = []
    problems: list[Problem] = []
    for event in tables.rows(path):
        (problems if isinstance(event, Problem) else rows).append(event)  # type: ignore[arg-type]  # one of two
    return rows, problems


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str):
    content = "\n".join(delimiter.join(row) for row in [("a", "b", "c"), ("1, 2", "x", "y")])
    if delimiter == ",":
        content = content.replace("1, 2", '"1, 2"')

    rows, problems = read(tmp_path, content)

    assert rows == [(1, {"a": "1, 2", "b": "x", "c": "y"})]
    assert not problems


def test_quotes_hold_newlines_and_line_ends_may_be_mixed(tmp_path: Path):
    rows, problems = read(tmp_path, 'a,b\r\n"x\ny\r\nz","say ""hi"""\n1,2\r3,4')

    assert rows == [
        (1, {"a": "x\ny\r\nz", "b": 'say "hi"'}),
        (2, {"a": "1", "b": "2"}),
        (3, {"a": "3", "b": "4"}),
    ]
    assert not problems


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path, encoding: str):
    rows, problems = read(tmp_path, "имя,label\nдля,x\n".encode(encoding))

    assert rows == [(1, {"имя": "для", "label": "x"})]
    assert not problems


@pytest.mark.parametrize(
    ("text", "encoding", "named"),
    [
        ("имя,день\nдля вас жили мы,была зима\n", "cp1251", "Windows-1251"),
        ("prénom,café\nété,déjà vu\n", "cp1252", "Windows-1252"),
        ("text,label\nhello,x\n", "utf-16-le", "UTF-16 without"),
        ("text,label\nhello,x\n", "utf-32", "UTF-32"),
    ],
)
def test_other_encodings_are_refused_by_name(tmp_path: Path, text: str, encoding: str, named: str):
    rows, problems = read(tmp_path, text.encode(encoding))

    assert not rows
    assert [(p.line, p.code) for p in problems] == [(0, "invalid_encoding")]
    assert named in problems[0].message


def test_one_wrong_byte_costs_one_row(tmp_path: Path):
    rows, problems = read(tmp_path, b"a,b\ncaf\xe9,1\nx,2\n" + "чай,3\n".encode())

    assert rows == [(2, {"a": "x", "b": "2"}), (3, {"a": "чай", "b": "3"})]
    assert [(p.line, p.code) for p in problems] == [(1, "invalid_encoding")]
    assert "0xE9" in problems[0].message


def test_ragged_rows_are_named_and_left_out(tmp_path: Path):
    rows, problems = read(tmp_path, "a,b\n1,2\n1,2,3\n1\n\n3,4\n,\n")

    assert [line for line, _ in rows] == [1, 5]
    assert [(p.line, p.code) for p in problems] == [(2, "ragged_row"), (3, "ragged_row")]
    assert "Row 2 (line 3 of the file): 3 cells where the heading has 2" in problems[0].message


def test_columns_get_a_name_each(tmp_path: Path):
    rows, problems = read(tmp_path, "a,a,,a (2)\n1,2,3,4\n")

    assert rows == [(1, {"a": "1", "a (3)": "2", "column 3": "3", "a (2)": "4"})]
    assert {(p.severity, p.code) for p in problems} == {
        ("warning", "duplicate_column"),
        ("warning", "empty_column"),
    }


def test_nul_bytes_cost_their_row(tmp_path: Path):
    rows, problems = read(tmp_path, b"a,b\n1\x00,2\n3,4\n")

    assert rows == [(2, {"a": "3", "b": "4"})]
    assert [(p.line, p.code) for p in problems] == [(1, "nul_character")]


def test_an_unclosed_quote_is_named_by_where_it_begins(tmp_path: Path):
    rows, problems = read(tmp_path, 'a,b\n1,2\n"never,closed\nmore,text\n')

    assert rows == [(1, {"a": "1", "b": "2"})]
    assert [(p.line, p.code) for p in problems] == [(0, "unclosed_quote")]
    assert "row 2 (line 3" in problems[0].message


def test_a_quote_amid_a_text_costs_its_row(tmp_path: Path):
    rows, problems = read(tmp_path, 'a,b\n"say "hi" now",2\n3,4\n')

    assert rows == [(2, {"a": "3", "b": "4"})]
    assert [(p.line, p.code) for p in problems] == [(1, "invalid_quote")]


def test_an_endless_quote_takes_no_more_memory_than_a_row_may(tmp_path: Path):
    path = tmp_path / "table.csv"
    with path.open("wb") as file:
        file.write(b'a,b\n"')
        for _ in range(40):
            file.write(b"x" * 2**20 + b"\n")
    tracemalloc.start()

    problems = list(tables.rows(path))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [p.code for p in problems if isinstance(p, Problem)] == ["row_too_long"]
    assert peak_bytes < 6 * heads.MAX_ROW_CHARS


def test_formulas_that_we_made_harmless_come_back(tmp_path: Path):
    rows, _ = read(tmp_path, "a,b\n'=1+1,'hello\n''-5,'@x\n")

    assert [row for _, row in rows] == [
        {"a": "=1+1", "b": "'hello"},
        {"a": "'-5", "b": "@x"},
    ]


@given(st.text(alphabet=st.sampled_from("'=+-@\t\rab ")))
def test_restoring_is_the_inverse_of_protecting(cell: str):
    protected = formulas.protect(cell)

    assert formulas.restore(protected) == cell
    assert not protected.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    "content",
    [
        "",
        '{"a": 1, "b": 2}\n{"a": 1, "b": 2}\n',
        '[{"text": "x", "label": "y"}]',
        "Dear all,\nthis is prose, with commas, here and there.\nIt goes on.\n",
        "one line, with a comma",
    ],
)
def test_what_is_no_table_is_none(tmp_path: Path, content: str):
    path = tmp_path / "file"
    path.write_text(content)

    assert tables.sniff(path) is None


def test_a_name_makes_a_table_of_one_column(tmp_path: Path):
    path = tmp_path / "file"
    path.write_text("text\nhello\nworld\n")

    head = tables.sniff(path, filename="texts.csv")

    assert tables.sniff(path) is None
    assert head == tables.TableHead("csv", ("text",), (), ({"text": "hello"}, {"text": "world"}))


def test_a_head_shows_five_rows(tmp_path: Path):
    path = tmp_path / "file"
    path.write_text("a\tb\n" + "1\t2\n" * 9)

    assert tables.sniff(path) == tables.TableHead(
        "tsv", ("a", "b"), (), ({"a": "1", "b": "2"},) * 5
    )


def test_an_empty_table_says_so(tmp_path: Path):
    _, problems = read(tmp_path, "\n\n")

    assert [(p.line, p.code) for p in problems] == [(0, "empty_file")]


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_bytes_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes):
    path = tmp_path_factory.getbasetemp() / "fuzzed.csv"
    path.write_bytes(content)

    tables.sniff(path, filename="a.csv")
    for event in tables.rows(path):
        assert isinstance(event, Problem | tuple)


@given(st.text(alphabet=st.sampled_from('ab,;"\n\r\t\0é\ufeff'), max_size=60))
@settings(max_examples=300, deadline=None)
def test_rows_have_the_columns_of_the_heading(
    tmp_path_factory: pytest.TempPathFactory, content: str
):
    path = tmp_path_factory.getbasetemp() / "fuzzed.csv"
    path.write_bytes(content.encode())

    events = list(tables.rows(path))

    assert len({tuple(event[1]) for event in events if not isinstance(event, Problem)}) <= 1
    lines = [event.line if isinstance(event, Problem) else event[0] for event in events]
    assert [line for line in lines if line] == sorted(line for line in lines if line)


def test_the_csv_module_agrees(tmp_path: Path):
    path = tmp_path / "table.csv"
    data = [["a", "b"], ["x,y", 'he said "no"'], ["line\nbreak", " spaced "]]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(data)

    assert [list(event[1].values()) for event in tables.rows(path) if isinstance(event, tuple)] == [
        *data[1:]
    ]


def test_what_excel_calls_unicode_text_is_a_table(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes("prompt\tcompletion\nhello\tworld\n".encode("utf-16"))

    found = detect(path)

    assert found.format == "table"
    assert not [row for row in found.sample if isinstance(row, Problem)]
