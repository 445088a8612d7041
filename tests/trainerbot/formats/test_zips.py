"""The list of a zip's files is counted before it is read, whatever the zip says of it."""

import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainerbot.formats.files import zipped
from trainerbot.formats.zips import BrokenZip, TooManyFiles, open_zip

THREE = zipped(("a", "one"), ("b", "two"), ("c", "three"))
END = THREE.rfind(b"PK\x05\x06")


def names(content: bytes, *, max_files: int = 3) -> list[str]:
    return open_zip(io.BytesIO(content), max_files=max_files).namelist()


def long_end(*, count: int, list_bytes: int) -> bytes:
    return struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, list_bytes, 0)


def with_long_end(
    content: bytes, record: bytes, *, named: int | None = None, between: bytes = b""
) -> bytes:
    """Put a long end and its locator before the end of a zip, which then says that they know."""
    at = content.rfind(b"PK\x05\x06")
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at if named is None else named, 1)
    end = bytearray(content[at:])
    end[8:20] = b"\xff" * 12
    return content[:at] + record + between + locator + bytes(end)


def test_a_zip_of_as_many_files_as_are_wanted_is_opened():
    assert names(THREE) == ["a", "b", "c"]
    assert names(zipped()) == []


def test_a_zip_behind_a_program_and_before_a_long_comment_is_opened():
    content = bytearray(b"#!" + b"x" * 1000 + THREE)
    content[-2:] = struct.pack("<H", 0xFFFF)

    assert names(bytes(content) + b"c" * 0xFFFF) == ["a", "b", "c"]


def test_a_zip_with_a_true_long_end_is_opened():
    record = long_end(count=3, list_bytes=END - THREE.find(b"PK\x01\x02"))

    assert names(with_long_end(THREE, record)) == ["a", "b", "c"]


def test_a_zip_of_one_file_too_many_is_refused_whatever_it_counts():
    modest = bytearray(THREE)
    modest[END + 8 : END + 12] = struct.pack("<HH", 1, 1)

    for content in (THREE, bytes(modest)):
        with pytest.raises(TooManyFiles, match="more than 2 files"):
            names(content, max_files=2)


@pytest.mark.parametrize(
    "size", [{"count": 10**6, "list_bytes": 100}, {"count": 3, "list_bytes": 10**9}]
)
@pytest.mark.parametrize("where", ["before its locator", "where the locator points", "anywhere"])
def test_a_long_end_that_says_too_much_is_refused_wherever_a_reader_may_find_it(size, where):
    record = long_end(**size)
    match where:
        case "before its locator":
            content = with_long_end(THREE, record, named=2**60)
        case "where the locator points":
            content = with_long_end(record + THREE, b"", named=0)
        case _:
            content = with_long_end(THREE, record, named=2**60, between=b"?" * 30)

    with pytest.raises((TooManyFiles, BrokenZip)):
        names(content)


def test_an_end_that_leaves_its_size_to_a_long_end_which_is_not_there_is_refused():
    content = bytearray(THREE)
    content[END + 12 : END + 16] = b"\xff" * 4

    with pytest.raises(TooManyFiles):
        names(bytes(content))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", THREE[:END], THREE[:-1], b"PK\x05\x06"])
def test_a_zip_without_a_whole_end_is_refused(content):
    with pytest.raises(BrokenZip, match="damaged or cut short"):
        names(content)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=8)), max_size=6))
@settings(max_examples=200, deadline=None)
def test_whatever_is_damaged_no_more_is_listed_than_was_counted(changes):
    true = long_end(count=3, list_bytes=END - THREE.find(b"PK\x01\x02"))
    content = bytearray(with_long_end(THREE, true))
    for at, piece in changes:
        # The end of the file, where the lists and their sizes are.
        place = len(content) - 1 - at % 300
        content[max(place, 0) : max(place, 0) + len(piece)] = piece

    try:
        found = open_zip(io.BytesIO(bytes(content)), max_files=2)
    except (BrokenZip, TooManyFiles):
        return
    assert isinstance(found, zipfile.ZipFile)
    assert len(found.namelist()) <= 2
