"""`exportdataset`, `diffdataset`, `freezedataset` and `editdataset`."""

import hashlib

import pytest

from dashboard.models import DatasetVersion
from dashboard.services import drafts
from tests.dashboard.commands.running import refusal, rows, run
from tests.dashboard.drafts.making import chat, labelled, version_of
from trainerbot.formats.rows import Kind
from trainerbot.formats.writing import read_manifest

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return version_of([chat(n) for n in range(8)], dataset__name="Rooms")


def test_a_version_is_written_to_the_file_that_is_named(version, tmp_path):
    path = tmp_path / "rooms.jsonl"
    (told,) = rows("exportdataset", "Rooms", "--to", path)
    assert (told["path"], told["examples"], told["sha256"]) == (str(path), 8, version.sha256)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == version.sha256


def test_a_folder_gets_a_file_of_a_fitting_name(version, tmp_path):
    said = run("exportdataset", "Rooms", "--version", 1, "--format", "csv", "--to", tmp_path)
    assert "Rooms-v1.csv: 8 examples" in said
    assert (tmp_path / "Rooms-v1.csv").is_file()


def test_an_archive_holds_several_formats_and_a_manifest(version, tmp_path):
    wanted = ("--format", "chat-jsonl", "--format", "csv")
    run("exportdataset", "Rooms", *wanted, "--archive", "--to", tmp_path)
    assert set(read_manifest(tmp_path / "Rooms-v1.zip").files) == {"chat-jsonl.jsonl", "csv.csv"}
    assert "only with --archive" in refusal("exportdataset", "Rooms", *wanted, "--to", tmp_path)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("Attics",), "no dataset"),
        (("Rooms", "--version", "7"), "no such version"),
        (("Rooms", "--format", "dpo-jsonl"), "cannot be written as"),
        (("Rooms", "--part", "test"), "no part named"),
    ],
)
def test_what_cannot_be_written_is_told_in_words(version, tmp_path, args, told):
    assert told in refusal("exportdataset", *args, "--to", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["exportdataset", "freezedataset", "finetune", "classify"])
@pytest.mark.parametrize("option", ["--version", "--version-number"])
def test_every_command_names_a_version_in_the_same_way(version, endpoint, command, option):
    assert "no such version" in refusal(command, "Rooms", option, "7")


def test_two_versions_are_compared(version):
    draft = drafts.copy(version, actor=None)
    drafts.rewrite(draft.examples.get(position=2), record=chat(2, "Closed today."), actor=None)
    drafts.remove(draft, chosen=[5], actor=None)

    said = run("diffdataset", "Rooms", 1, 2)

    assert "Rooms v1 -> Rooms v2: 0 added, 1 removed, 1 changed, 6 the same." in said
    assert "{+ Closed today+}" in said
    assert "\n- 5: " in said
    (told,) = rows("diffdataset", "Rooms", 1, 2)
    assert told["counts"] == {"added": 0, "removed": 1, "changed": 1, "kept": 6}
    assert [change["change"] for change in told["changes"]] == ["changed", "removed"]
    assert rows("diffdataset", "Rooms", 1, 2, "--limit", 0)[0]["changes"] == []
    assert "and more" in run("diffdataset", "Rooms", 1, 2, "--limit", 1)
    assert "0 or more" in refusal("diffdataset", "Rooms", 1, 2, "--limit", -1)


def test_a_dataset_is_edited_and_frozen_from_a_terminal():
    records = [labelled(n, "shop" if n % 2 else "club") for n in range(20)]
    records[7] = records[3]
    version_of(records, kind=Kind.LABELLED, dataset__name="Shops")

    (copied,) = rows("editdataset", "Shops", "copy")
    (deduplicated,) = rows("editdataset", "Shops", "deduplicate", "--exact")
    (removed,) = rows("editdataset", "Shops", "remove", "--label", "club")
    (undone,) = rows("editdataset", "Shops", "undo")
    (divided,) = rows(
        "editdataset", "Shops", "split", "--share", "train=0.5", "--share", "test=0.5"
    )
    said = run("freezedataset", "Shops", "--note", "Without repetitions")

    assert (copied["version"], copied["examples"]) == (2, 20)
    assert (deduplicated["rows"], removed["rows"], undone["rows"]) == (1, 10, 10)
    assert (divided["version"], divided["rows"]) == (2, 19)
    assert said.startswith("Shops v2 is frozen: 19 examples")
    frozen = DatasetVersion.objects.frozen().get(number=2)
    assert (frozen.note, frozen.split["shares"]) == (
        "Without repetitions",
        {"train": 0.5, "test": 0.5},
    )
    (told,) = rows("editdataset", "Shops", "copy")
    assert told["version"] == 3
    assert rows("editdataset", "Shops", "discard") == [{"discarded": 3}]


def test_a_long_edit_is_done_by_the_command_itself(version, monkeypatch):
    monkeypatch.setattr("dashboard.services.drafts.verbs.LONG", 1)
    monkeypatch.setattr("dashboard.services.drafts.copying.AT_ONCE", 1)
    (told,) = rows("editdataset", "Rooms", "split")
    assert (told["version"], told["rows"]) == (2, 8)
    assert not drafts.running(DatasetVersion.objects.get(number=2))


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("remove",), "Say which rows"),
        (("split", "--share", "train=2"), "add up to 1"),
        (("split", "--share", "train"), "numbers"),
        (("mask",), "Nothing would change"),
        (("undo",), "nothing to take back"),
        (("discard",), "is frozen"),
    ],
)
def test_what_cannot_be_done_is_told_in_words(version, args, told):
    assert told in refusal("editdataset", "Rooms", *args)
    assert list(DatasetVersion.everything.all()) == [version]


def test_a_frozen_version_is_not_frozen_twice(version):
    assert "frozen and never changes" in refusal("freezedataset", "Rooms")


def test_chosen_rows_get_another_label_from_a_terminal():
    records = [labelled(n, "shop" if n % 2 else "club") for n in range(6)]
    version_of(records, kind=Kind.LABELLED, dataset__name="Shops")

    (told,) = rows("editdataset", "Shops", "relabel", "--label", "club", "--to", "bar")

    assert (told["act"], told["rows"]) == ("relabel", 3)
    draft = DatasetVersion.objects.get(number=2)
    labels = draft.examples.order_by("position").values_list("label", flat=True)
    assert list(labels) == ["bar", "shop"] * 3


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--label", "club"), "--to LABEL"),
        (("--to", "bar"), "Say which rows"),
        (("--label", "club", "--to", "bell\x07"), "A label has 1 to 100 letters"),
    ],
)
def test_relabelling_without_rows_or_label_changes_nothing(args, told):
    version_of([labelled(1, "club")], kind=Kind.LABELLED, dataset__name="Shops")

    assert told in refusal("editdataset", "Shops", "relabel", *args)
    assert DatasetVersion.objects.count() == 1
