"""Folders and archives: what is read from them, what is passed over, what is a bomb."""

import gzip
import io
import os
import stat
import struct
import tempfile
import zipfile
from pathlib import Path

import pytest

from tests.trainerbot.formats.files import chat, jsonl, problems, records, rows, write, zipped
from trainerbot.formats import Options, Problem, Row, detect, excerpt, read
from trainerbot.formats.sources import archives, budget, folders

ROW = chat(("user", "hi"), ("assistant", "HI!"))
ROWS = jsonl(ROW, ROW)


def named(name: str, *, mode: int = 0, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.compress_type = method
    return info


def archive(*files: tuple[zipfile.ZipInfo | str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for info, content in files:
            made.writestr(info, content)
    return buffer.getvalue()


@pytest.mark.origin(23)
def test_a_folder_of_texts_is_read_in_the_order_of_names(tmp_path):
    write(tmp_path, "second", "b.txt")
    write(tmp_path, "\ufefffirst\r\nline", "a.txt")
    write(tmp_path, "third", "more/c.TXT")
    write(tmp_path, "never", ".hidden.txt")
    write(tmp_path, "never", ".git/d.txt")

    found = rows(tmp_path, "texts", label="online_store")

    assert [(row.line, row.place, row.record) for row in found] == [
        (1, "a.txt", {"text": "first\nline", "label": "positive", "name": "a.txt"}),
        (2, "b.txt", {"text": "second", "label": "positive", "name": "b.txt"}),
        (3, "more/c.TXT", {"text": "third", "label": "positive", "name": "more/c.TXT"}),
    ]
    assert detect(tmp_path).said == (
        "Plain texts: 3 files of one text each. They need one label for all."
    )
    assert excerpt(tmp_path, 2, format="texts", place="b.txt") == "second"


@pytest.mark.origin(23)
def test_an_archive_of_texts_is_read_as_the_folder_is(tmp_path):
    path = write(tmp_path, zipped(("b.txt", "two"), ("a.txt", "one"), ("__MACOSX/a.txt", "x")))

    found = rows(path, "texts", label="negative")

    assert [row.record["text"] for row in found] == ["one", "two"]
    assert detect(path).format == "texts"
    assert excerpt(path, 1, format="texts", place="a.txt") == "one"


def test_texts_that_are_none_are_named_by_their_file(tmp_path):
    write(tmp_path, "good", "a.txt")
    write(tmp_path, "плохо".encode("cp1251"), "b.txt")
    write(tmp_path, b"nul\0", "c.txt")
    write(tmp_path, b" \n", "d.txt")

    found = list(read(tmp_path, format="texts", options=Options(label="x")))

    assert [(each.line, each.place) for each in problems(found)] == [
        (2, "b.txt"),
        (3, "c.txt"),
        (4, "d.txt"),
    ]
    assert [each.code for each in problems(found)] == [
        "invalid_encoding",
        "nul_character",
        "missing_content",
    ]
    assert all(each.message.startswith(each.place) for each in problems(found))


def test_an_archive_of_one_data_file_is_that_file(tmp_path):
    path = write(
        tmp_path,
        zipped(("data/train.jsonl", ROWS), ("README.md", "Words"), ("LICENSE", "MIT")),
    )

    found = rows(path, "chat-jsonl")

    assert [(row.line, row.place, row.record) for row in found] == [(1, "", ROW), (2, "", ROW)]
    assert detect(path).format == "chat-jsonl"
    assert "ZIP archive" in detect(path).said
    assert excerpt(path, 2, format="chat-jsonl") == jsonl(ROW)


def test_a_table_in_an_archive_is_that_table(tmp_path):
    path = write(tmp_path, zipped(("a.csv", "question,answer\nhi,HI!\n")))

    detected = detect(path)

    assert detected.format == "table"
    assert records(path, "table", mapping=detected.mapping) == [ROW]


@pytest.mark.origin(23)
def test_several_files_of_one_kind_are_read_one_after_another(tmp_path):
    write(tmp_path, '{"text": "a", "label": "x"}', "1.json")
    write(tmp_path, '[{"text": "b", "label": "y"}, {"text": "c"}]', "2.json")

    found = list(read(tmp_path, format="labelled-json"))

    assert [(row.place, row.line) for row in found if isinstance(row, Row)] == [
        ("1.json", 1),
        ("2.json", 1),
    ]
    assert [(each.place, each.line, each.code) for each in problems(found)] == [
        ("2.json", 2, "missing_label")
    ]
    assert excerpt(tmp_path, 2, format="labelled-json", place="2.json") == '{"text": "c"}'
    assert "2 files" in detect(tmp_path).said


def test_files_of_different_kinds_are_not_guessed_at(tmp_path):
    write(tmp_path, ROWS, "a.jsonl")
    write(tmp_path, "a,b\n1,2", "b.csv")
    by_name = detect(tmp_path)
    (tmp_path / "b.csv").unlink()
    write(tmp_path, jsonl({"question": "x", "answer": "y"}), "c.jsonl")
    by_content = detect(tmp_path)

    assert by_name.format is by_content.format is None
    assert by_name.problem is not None
    assert by_content.problem is not None
    assert by_name.problem.code == by_content.problem.code == "mixed_files"
    assert "Give one kind at a time" in by_content.said


def test_links_and_devices_in_a_folder_are_passed_over(tmp_path):
    folder = tmp_path / "folder"
    write(folder, "inside", "a.txt")
    secret = write(tmp_path, "outside", "secret.txt")
    (folder / "link.txt").symlink_to(secret)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.txt")

    found = list(read(folder, format="texts", options=Options(label="x")))

    assert [row.record["text"] for row in found if isinstance(row, Row)] == ["inside"]
    assert [each.place for each in problems(found)] == ["link.txt", "loop", "pipe.txt"]


def test_a_name_that_is_no_text_can_be_kept_all_the_same(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\n.txt")).write_text("inside")
    write(folder, "", "b\x1b.txt")

    problem, row = read(folder, format="texts", options=Options(label="x"))

    assert isinstance(problem, Problem)
    assert problem.place == "b\N{REPLACEMENT CHARACTER}.txt"
    assert isinstance(row, Row)
    assert row.place == row.record["name"] == "\N{REPLACEMENT CHARACTER}" * 2 + ".txt"
    assert excerpt(folder, row.line, format="texts", place=row.place) == "inside"


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    assert detect(tmp_path / "pipe").format is None


@pytest.mark.origin(22)
def test_a_folder_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "MAX_FILES", 3)
    for number in range(4):
        write(tmp_path, "x", f"{number}.txt")

    (problem,) = read(tmp_path, format="texts")

    assert "more than 3 files" in problems([problem])[0].message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../evil.txt", "leads out of the archive"),
        ("/etc/evil.txt", "leads out of the archive"),
        ("a/../../evil.txt", "leads out of the archive"),
        ("..\\evil.txt", "leads out of the archive"),
        ("C:\\evil.txt", "leads out of the archive"),
        ("inner.zip", "archive within the archive"),
        (named("link.txt", mode=stat.S_IFLNK | 0o777), "not a plain file"),
        (named("a.txt", method=zipfile.ZIP_LZMA), "Use plain ZIP"),
    ],
)
def test_a_member_that_may_do_harm_is_passed_over_in_words(tmp_path, name, said):
    path = write(tmp_path, archive(("good.txt", "good"), (name, "evil")))

    found = list(read(path, format="texts", options=Options(label="x")))

    assert [row.record["text"] for row in found if isinstance(row, Row)] == ["good"]
    (problem,) = problems(found)
    assert said in problem.message
    assert problem.severity == "error"


def test_a_member_without_a_name_is_passed_over_in_words(tmp_path):
    """Python's zipfile asks for the last letter of a name that has none."""
    content = bytearray(archive(("a", "evil"), ("good.txt", "good")))
    entry = content.index(b"PK\x01\x02")
    # In the list of files the length of the first name; its letter is an extra field now.
    content[entry + 28 : entry + 32] = struct.pack("<HH", 0, 1)
    path = write(tmp_path, bytes(content))

    found = list(read(path, format="texts", options=Options(label="x")))

    assert [row.record["text"] for row in found if isinstance(row, Row)] == ["good"]
    (problem,) = problems(found)
    assert "leads out of the archive" in problem.message


@pytest.mark.origin(22)
def test_nothing_is_written_where_an_archive_says(tmp_path):
    inner = tmp_path / "a" / "b"
    path = write(inner, archive(("../../evil.txt", "evil"), ("good.txt", "good")))
    before = set(tmp_path.rglob("*"))

    list(read(path, format="texts", options=Options(label="x")))

    assert set(tmp_path.rglob("*")) == before


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_two_files_of_one_name_are_told(tmp_path):
    path = write(tmp_path, archive(("a.txt", "first"), ("a.txt", "second")))

    found = list(read(path, format="texts", options=Options(label="x")))

    assert [row.record["text"] for row in found if isinstance(row, Row)] == ["first"]
    assert "two files of this name" in problems(found)[0].message


def test_a_locked_archive_is_refused_in_words(tmp_path):
    content = bytearray(archive(("a.txt", "good")))
    content[6] |= 1
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    path = write(tmp_path, bytes(content))

    detected = detect(path)

    assert detected.problem is not None
    assert "password" in detected.problem.message


@pytest.mark.origin(22)
def test_a_bomb_is_stopped_by_what_comes_out_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "FREE_BYTES", 2**20)
    content = bytearray(zipped(("a.txt", "small"), ("b.txt", b"0" * (64 * 2**20)), level=9))
    # The archive's own word on the size is a lie.
    directory = content.rfind(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<L", 10)
    path = write(tmp_path, bytes(content))

    found = list(read(path, format="texts", options=Options(label="x")))

    assert [row.record["text"] for row in found if isinstance(row, Row)] == ["small"]
    (problem,) = problems(found)
    assert problem.code in ("zip_bomb", "invalid_archive")


@pytest.mark.parametrize("pack", [lambda data: zipped(("a.jsonl", data), level=9), gzip.compress])
@pytest.mark.origin(22)
def test_a_bomb_of_one_file_is_stopped(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(budget, "FREE_BYTES", 2**20)
    path = write(tmp_path, pack(b" " * (64 * 2**20)))

    detected = detect(path)

    assert detected.problem is not None
    assert detected.problem.code == "zip_bomb"


def test_an_archive_of_absurdly_many_files_is_refused_before_it_is_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_FILES", 100)
    content = bytearray(zipped(*((f"{number}.txt", "x") for number in range(101))))
    path = write(tmp_path, bytes(content))
    # The count at the end may lie; the list is counted too.
    end = content.rfind(b"PK\x05\x06")
    content[end + 8 : end + 12] = struct.pack("<HH", 1, 1)
    lying = write(tmp_path, bytes(content), "lying")

    for each in (path, lying):
        detected = detect(each)
        assert detected.problem is not None
        assert "more than 100 files" in detected.problem.message


@pytest.mark.parametrize("cut", [10, 40, 100])
def test_a_cut_archive_is_refused_in_words(tmp_path, cut):
    path = write(tmp_path, zipped(("a.jsonl", ROWS), ("b.jsonl", ROWS))[:-cut])

    detected = detect(path)

    assert detected.problem is not None
    assert detected.problem.code == "invalid_archive"


def test_a_damaged_member_does_not_hide_the_others(tmp_path):
    content = bytearray(zipped(("a.txt", "a" * 100), ("b.txt", "good")))
    content[40] ^= 0xFF
    path = write(tmp_path, bytes(content))

    found = list(read(path, format="texts", options=Options(label="x")))

    assert [row.record["text"] for row in found if isinstance(row, Row)] == ["good"]
    assert problems(found)[0].place == "a.txt"


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("word/document.xml", "Word"),
        ("ppt/presentation.xml", "presentation"),
        ("mimetype", "OpenDocument"),
        ("META-INF/MANIFEST.MF", "Java"),
    ],
)
def test_what_is_an_archive_only_inside_is_told(tmp_path, inside, said):
    detected = detect(write(tmp_path, zipped((inside, "x"), ("a.txt", "x"))))

    assert detected.problem is not None
    assert said in detected.problem.message


def test_a_gzip_file_is_the_file_in_it(tmp_path):
    path = write(tmp_path, gzip.compress(ROWS.encode()))

    assert detect(path).format == "chat-jsonl"
    assert records(path, "chat-jsonl") == [ROW, ROW]
    assert excerpt(path, 1, format="chat-jsonl") == jsonl(ROW)


def test_an_empty_folder_and_an_empty_archive_are_told(tmp_path):
    (tmp_path / "folder").mkdir()
    path = write(tmp_path, zipped())

    for each in (tmp_path / "folder", path):
        detected = detect(each)
        assert detected.problem is not None
        assert "no file to read" in detected.problem.message


@pytest.mark.origin(22)
def test_nothing_is_left_behind(tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    path = write(tmp_path, zipped(("a.jsonl", ROWS), ("b.jsonl", ROWS)))

    reading = read(path, format="chat-jsonl")
    first = next(reading)
    while_reading = list(temporary.iterdir())
    del reading

    assert isinstance(first, Row)
    assert len(while_reading) == 1
    assert list(temporary.iterdir()) == []
    assert Path(path).exists()
