"""Workbooks: what a person would have typed comes in, the rest is refused in words."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainerbot.formats.tables import books
from tests.trainerbot.formats.tables.books import row
from trainerbot.formats import Problem, tables

HEADING = row(1, "text", "label")


def read(path: Path, sheet: str | None = None) -> tuple[list[Any], list[Problem]]:
    events = list(tables.rows(path, sheet=sheet))
    return (
        [event for event in events if not isinstance(event, Problem)],
        [event for event in events if isinstance(event, Problem)],
    )


def test_cells_come_as_a_person_would_type_them(tmp_path: Path):
    path = books.write(
        tmp_path / "book.xlsx",
        {
            "data": row(1, "n", "half", "when", "flag", "text")
            + row(2, "<c><v>3</v></c>", "<c><v>0.30000000000000004</v></c>",
                  '<c s="1"><v>46023.5</v></c>', '<c t="b"><v>1</v></c>', "a\nb")
            + row(5, "<c><v>-1e3</v></c>"),
        },
    )  # fmt: skip

    rows, problems = read(path)

    assert not problems
    assert rows == [
        (1, {"n": "3", "half": "0.3", "when": "2026-01-01 12:00", "flag": "TRUE", "text": "a\nb"}),
        (4, {"n": "-1000", "half": "", "when": "", "flag": "", "text": ""}),
    ]


def test_a_formula_counts_as_its_value_and_without_one_costs_its_row(tmp_path: Path):
    path = books.write(
        tmp_path / "book.xlsx",
        {
            "data": HEADING
            + row(2, '<c t="str"><f>A1</f><v>text</v></c>', "x")
            + row(3, "<c><f>SUM(1)</f></c>", "x")
            + row(4, '<c t="str"><f>T(1)</f><v></v></c>', "x")
            + row(5, "y", '<c t="e"><v>#REF!</v></c>'),
        },
    )

    rows, problems = read(path)

    assert rows == [(1, {"text": "text", "label": "x"}), (3, {"text": "", "label": "x"})]
    assert [(p.line, p.code) for p in problems] == [
        (2, "formula_without_value"),
        (4, "error_value"),
    ]
    assert "cell A3" in problems[0].message
    assert "cell B5 holds the error #REF!" in problems[1].message


def test_the_first_sheet_that_is_shown_is_read_unless_another_is_named(tmp_path: Path):
    path = books.write(
        tmp_path / "book.xlsx",
        {"notes": row(1, "a"), "first": HEADING + row(2, "x", "y"), "2nd": row(1, "b")},
        hidden=("notes",),
    )

    head = tables.sniff(path)
    _, problems = read(path, "absent")

    assert isinstance(head, tables.TableHead)
    assert head.sheets == ("first", "2nd", "notes")
    assert head.rows == ({"text": "x", "label": "y"},)
    assert read(path, "2nd") == ([], [])
    assert [(p.line, p.code) for p in problems] == [(0, "unknown_sheet")]
    assert "first, 2nd, notes" in problems[0].message


def test_macros_are_ignored_and_said(tmp_path: Path):
    path = books.write(
        tmp_path / "book.xlsm",
        {"data": HEADING + row(2, "x", "y")},
        extra={"xl/vbaProject.bin": b"\x00"},
    )

    rows, problems = read(path)

    assert rows == [(1, {"text": "x", "label": "y"})]
    assert [(p.severity, p.code) for p in problems] == [("warning", "macros_ignored")]


def test_a_cell_beside_the_table_is_named(tmp_path: Path):
    path = books.write(tmp_path / "book.xlsx", {"data": HEADING + row(2, "x", "y", "lost")})

    rows, problems = read(path)

    assert not rows
    assert [(p.line, p.code) for p in problems] == [(1, "ragged_row")]


def test_an_empty_sheet_says_so(tmp_path: Path):
    path = books.write(tmp_path / "book.xlsx", {"data": ""})

    assert [p.code for p in read(path)[1]] == ["empty_file"]


def bomb(path: Path) -> Path:
    books.write(path, {"data": HEADING})
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("xl/sharedStrings.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(513):
            part.write(b" " * 2**20)
    return path


def lying_bomb(path: Path) -> Path:
    """Return a bomb whose list of contents says that it is small."""
    content = bytearray(bomb(path).read_bytes())
    at = content.rindex(b"xl/sharedStrings.xml") - 46
    content[at + 24 : at + 28] = (100).to_bytes(4, "little")
    path.write_bytes(content)
    return path


def far_cell(path: Path) -> Path:
    return books.write(
        path, {"data": HEADING + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'}
    )


def entities(path: Path) -> Path:
    books.write(path, {"data": HEADING + row(2, "<c><f>1</f></c>", "x")})
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    return rewrite(path, "xl/workbook.xml", lambda _: laughs)


def rewrite(path: Path, name: str, change: Any) -> Path:
    with zipfile.ZipFile(path) as file:
        parts = {part: file.read(part) for part in file.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for part, content in parts.items():
            file.writestr(part, change(content) if part == name else content)
    return path


def cut(path: Path) -> Path:
    content = books.write(path, {"data": HEADING + row(2, "x", "y") * 50}).read_bytes()
    at = content.rindex(b"xl/worksheets/sheet1.xml")
    path.write_bytes(content[:60] + content[160:at] + content[at:])
    return path


def from_the_future(path: Path) -> Path:
    """Return a workbook whose zip asks for a version that nobody knows yet."""
    content = bytearray(books.write(path, {"data": HEADING}).read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 127
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (from_the_future, "invalid_file_format"),
        (bomb, "too_large"),
        (lying_bomb, "invalid_file_format"),
        (far_cell, "invalid_file_format"),
        (entities, "invalid_file_format"),
        (cut, "invalid_file_format"),
    ],
)
def test_a_hostile_workbook_is_refused_in_words(tmp_path: Path, make: Any, code: str):
    path = make(tmp_path / "book.xlsx")

    rows, problems = read(path)

    assert not rows
    assert [(p.line, p.code) for p in problems] == [(0, code)]
    assert "10 minutes" not in problems[0].message or make is far_cell
    assert str(tmp_path) not in problems[0].message


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le"), "(.xls)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "password"),
        (
            b"PK\x03\x04" + b"\0" * 26
            + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "(.ods)",
        ),
        (b"PK\x03\x04 xl/workbook.bin", "(.xlsb)"),
    ],
)  # fmt: skip
def test_other_spreadsheets_are_refused_by_name(tmp_path: Path, content: bytes, named: str):
    path = tmp_path / "book"
    path.write_bytes(content)

    found = tables.sniff(path)

    assert isinstance(found, Problem)
    assert named in found.message
    assert list(tables.rows(path)) == [found]


def test_other_archives_and_documents_are_no_tables(tmp_path: Path):
    archive, document = tmp_path / "a.zip", tmp_path / "a.doc"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", "hello")
    document.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)

    assert tables.sniff(archive) is None
    assert tables.sniff(document) is None


@given(st.data())
@settings(max_examples=6, deadline=None)
def test_damage_raises_nothing(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    path = tmp_path_factory.getbasetemp() / "damaged.xlsx"
    books.write(path, {"data": HEADING + row(2, "x", "<c><f>A1</f><v>1</v></c>")})
    content = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(content)

    for event in tables.rows(path):
        assert isinstance(event, Problem | tuple)
