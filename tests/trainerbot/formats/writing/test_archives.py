"""Archives: one zip, the same bytes each time, checked before anything is believed."""

import datetime
import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainerbot.formats.files import chat, jsonl, problems, rows, write
from trainerbot.errors import InvalidInput
from trainerbot.formats import Row, check, detect, read
from trainerbot.formats.rows import Kind
from trainerbot.formats.writing import Manifest, archive, read_manifest
from trainerbot.formats.writing.archives import read_file

MANIFEST = Manifest(
    name="Städte",
    version=3,
    kind=Kind.CHAT,
    counts={"upload": 2, "correction": 1},
    licence="CC-BY-4.0",
    created=datetime.datetime(2026, 11, 21, 12, 30, 2, tzinfo=datetime.UTC),
    provenance={"authors": ["ann"], "parent": 2},
    main="data/rows.jsonl",
)


MAIN = "data/rows.jsonl"
ROW = chat(("user", "Which sky?"), ("assistant", "A blue one."))
ROWS = f"{jsonl(ROW, ROW, ROW)}\n".encode()


def make(folder: Path, name: str = "a.zip") -> Path:
    file = write(folder, ROWS, "rows.jsonl")
    path = folder / name
    archive(path, files={MAIN: file, "LICENCE": file}, manifest=MANIFEST)
    return path


def content(path: Path, name: str, *, max_bytes: int = 100_000) -> bytes:
    return b"".join(read_file(path, name, max_bytes=max_bytes))


def test_an_archive_tells_what_it_is_and_gives_its_files_back(tmp_path: Path):
    path = make(tmp_path)

    told = read_manifest(path)

    assert told is not None
    assert msgspec.structs.replace(told, files={}) == MANIFEST
    assert content(path, MAIN) == ROWS
    assert [row.record for row in rows(path, "chat-jsonl")] == [ROW] * 3


def test_the_same_dataset_makes_the_same_bytes(tmp_path: Path):
    assert make(tmp_path, "a.zip").read_bytes() == make(tmp_path, "b.zip").read_bytes()


@pytest.mark.parametrize(
    "name", ["../rows", "/rows", "a/../../b", "manifest.json", "", "a:b", "a\nb"]
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str):
    file = tmp_path / "rows"
    file.write_text("x")

    with pytest.raises(InvalidInput, match="cannot be called"):
        archive(tmp_path / "a.zip", files={name: file}, manifest=MANIFEST)
    assert not (tmp_path / "a.zip").exists()


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"hello", b"PK\x03\x04" + b"\0" * 26 + b"other.json"]
)
def test_other_files_are_no_archive_of_ours(tmp_path: Path, content: bytes):
    path = tmp_path / "a.zip"
    path.write_bytes(content)

    assert read_manifest(path) is None


def test_a_zip_with_somebody_elses_manifest_is_not_ours(tmp_path: Path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("manifest.json", '{"name": "a browser extension"}')

    assert read_manifest(path) is None
    with pytest.raises(InvalidInput, match="damaged"):
        content(path, "manifest.json")


def rewrite(path: Path, change: Any) -> None:
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    parts = change(parts)
    with zipfile.ZipFile(path, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)


def retold(parts: dict[str, bytes], **changes: Any) -> dict[str, bytes]:
    manifest = json.loads(parts["manifest.json"]) | changes
    return parts | {"manifest.json": json.dumps(manifest).encode()}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda parts: parts | {MAIN: ROWS.replace(b"blue", b"grey")}, "not the file"),
        (lambda parts: parts | {MAIN: ROWS + ROWS}, "not the file"),
        (lambda parts: parts | {MAIN: ROWS[: ROWS.index(b"\n") + 1]}, "not the file"),
        (lambda parts: parts | {MAIN: b""}, "not the file"),
        (lambda parts: parts | {"more": b""}, "damaged"),
        (lambda parts: {n: c for n, c in parts.items() if n != "LICENCE"}, "damaged"),
        (lambda parts: retold(parts, format_version=9), "newer version"),
        (lambda parts: retold(parts, kind="poem"), "damaged"),
        (
            lambda parts: retold(
                parts | {"../evil": b""}, files={"../evil": {"sha256": "", "n_bytes": 0}}
            ),
            "damaged",
        ),
    ],
)
def test_an_archive_that_was_changed_is_refused_before_a_row_of_it_is_read(
    tmp_path: Path, change: Any, told: str
):
    path = make(tmp_path)
    rewrite(path, change)

    found = list(read(path, format="chat-jsonl"))
    detected = detect(path)
    checked = check(path, max_bytes=100_000)

    (problem,) = problems(found)
    assert len(found) == 1
    assert (problem.code, problem.severity) == ("invalid_archive", "error")
    assert told in problem.message
    assert (detected.format, detected.problem) == (None, problem)
    assert not checked.ok


def test_what_is_read_of_a_file_beside_the_rows_is_what_the_manifest_hashes(tmp_path: Path):
    path = make(tmp_path)
    rewrite(path, lambda parts: parts | {"LICENCE": b"another"})

    with pytest.raises(InvalidInput, match="LICENCE is not the file"):
        content(path, "LICENCE")


def test_a_file_larger_than_allowed_is_refused_unread(tmp_path: Path):
    path = make(tmp_path)

    with pytest.raises(InvalidInput, match="damaged"):
        content(path, MAIN, max_bytes=len(ROWS) - 1)


def test_a_list_of_files_that_points_before_the_beginning_is_damage(tmp_path: Path):
    path = make(tmp_path)
    content = bytearray(path.read_bytes())
    content[-6] = (content[-6] + 100) % 256  # where the list begins, in its end record
    path.write_bytes(content)

    with pytest.raises(InvalidInput, match="damaged"):
        read_manifest(path)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_damage_raises_only_our_errors(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    folder = tmp_path_factory.getbasetemp()
    path = make(folder)
    content = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(content)

    found = list(read(path, format="chat-jsonl"))

    assert all(each.record == ROW for each in found if isinstance(each, Row))
