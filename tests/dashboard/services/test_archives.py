"""An archive brings back what each of its rows was, but no permission."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from dashboard.models import DatasetVersion, Provenance
from dashboard.services import exports, imports, provenance
from tests.dashboard.drafts.making import chat, version_of
from tests.factories import ProvenanceFactory
from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.django_db


def mixed() -> DatasetVersion:
    """Six rows from three hands, two of them Discord messages that somebody permitted; split."""
    version = version_of([chat(n) for n in range(6)])
    hands = [
        ProvenanceFactory(
            source=Provenance.Source.UPLOAD, author="ada", licence="CC0-1.0", reference="a.csv"
        ),
        ProvenanceFactory(
            source=Provenance.Source.DISCORD_MESSAGE,
            author="ben",
            licence="",
            reference="#general",
            permission="Discord, letter of 12 March",
        ),
        ProvenanceFactory(
            source=Provenance.Source.CORRECTION, author="cy", licence="MIT", reference="#3"
        ),
    ]
    parts = ("train", "validation", "test")
    for position in range(6):
        version.examples.filter(position=position).update(
            provenance=hands[position // 2], part=parts[position % 3]
        )
    split = {"seed": 7, "shares": {"train": 0.4, "validation": 0.3, "test": 0.3}}
    DatasetVersion.objects.filter(pk=version.pk).update(split=split)
    return DatasetVersion.objects.get(pk=version.pk)


def origins_of(version: DatasetVersion) -> list[tuple[str, ...]]:
    fields = ("source", "author", "licence", "reference")
    rows = version.examples.order_by("position")
    return list(rows.values_list("part", *(f"provenance__{field}" for field in fields)))


def test_an_archive_gives_each_row_its_source_and_its_part_back(tmp_path):
    version = mixed()
    path = tmp_path / "archive.zip"
    exports.write_archive(version, path, formats_wanted=["chat-jsonl", "csv"])

    back = imports.import_file(path, name="Back")

    assert origins_of(back) == origins_of(version)
    assert back.split == version.split


def test_a_permission_is_not_imported(tmp_path):
    path = tmp_path / "archive.zip"
    exports.write_archive(mixed(), path, formats_wanted=["chat-jsonl"])

    back = imports.import_file(path, name="Back")

    assert {share.provenance.permission for share in provenance.shares(back)} == {""}
    with pytest.raises(InvalidInput, match="2 examples of Back v1 are Discord message content"):
        provenance.check(back)


def test_the_word_that_all_rows_are_discord_messages_counts_more_than_an_archive(tmp_path):
    path = tmp_path / "archive.zip"
    exports.write_archive(mixed(), path, formats_wanted=["chat-jsonl"])

    back = imports.import_file(path, name="Back", source=Provenance.Source.DISCORD_MESSAGE)

    assert {share.provenance.source for share in provenance.shares(back)} == {"discord_message"}


def without(path: Path, name: str) -> None:
    """Take one file out of an archive and its manifest, as somebody with a text editor would."""
    with zipfile.ZipFile(path) as old:
        files = {each: old.read(each) for each in old.namelist() if each != name}
    manifest = json.loads(files["manifest.json"])
    del manifest["files"][name]
    files["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w") as new:
        for each, content in files.items():
            new.writestr(each, content)


def test_an_archive_that_does_not_tell_its_rows_apart_waits_whole_for_a_permission(tmp_path):
    path = tmp_path / "archive.zip"
    exports.write_archive(mixed(), path, formats_wanted=["chat-jsonl"])
    without(path, "rows.csv")

    back = imports.import_file(path, name="Back")

    with pytest.raises(InvalidInput, match="6 examples"):
        provenance.check(back)


def test_an_archive_whose_rows_were_moved_to_another_source_is_refused(tmp_path):
    path = tmp_path / "archive.zip"
    exports.write_archive(mixed(), path, formats_wanted=["chat-jsonl"])
    with zipfile.ZipFile(path) as old:
        files = {each: old.read(each) for each in old.namelist()}
    files["rows.csv"] = files["rows.csv"].replace(b",1\n", b",0\n")
    manifest = json.loads(files["manifest.json"])
    entry = manifest["files"]["rows.csv"]
    entry["sha256"] = hashlib.sha256(files["rows.csv"]).hexdigest()
    files["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w") as new:
        for each, content in files.items():
            new.writestr(each, content)

    with pytest.raises(InvalidInput, match="manifest of this archive and its rows differ"):
        imports.import_file(path, name="Back")
    assert not DatasetVersion.everything.filter(dataset__name="Back").exists()


@pytest.mark.parametrize("skip_faulty", [False, True])
def test_an_archive_whose_rows_are_not_those_that_its_manifest_hashes_is_refused(
    tmp_path, skip_faulty
):
    path = tmp_path / "archive.zip"
    exports.write_archive(mixed(), path, formats_wanted=["chat-jsonl", "csv"])
    with zipfile.ZipFile(path) as old:
        files = {each: old.read(each) for each in old.namelist()}
    files["chat-jsonl.jsonl"] = files["chat-jsonl.jsonl"].replace(b"room 3,", b"room 9,")
    with zipfile.ZipFile(path, "w") as new:
        for each, content in files.items():
            new.writestr(each, content)

    with pytest.raises(
        InvalidInput, match=r"chat-jsonl\.jsonl is not the file that this archive's manifest"
    ):
        imports.import_file(path, name="Back", skip_faulty=skip_faulty)
    assert not DatasetVersion.everything.filter(dataset__name="Back").exists()


def test_the_same_archive_twice_makes_one_version(tmp_path):
    path = tmp_path / "archive.zip"
    exports.write_archive(mixed(), path, formats_wanted=["chat-jsonl"])

    first = imports.import_file(path, name="Back")

    assert imports.import_file(path, name="Back") == first
