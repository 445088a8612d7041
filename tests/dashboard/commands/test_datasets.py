"""`importdataset` and `validatedataset`."""

import io
import json
import os

import pytest
from django.core.management import CommandError, call_command

from dashboard.models import Dataset, Example
from tests.dashboard.commands.running import refusal, rows, run, write

pytestmark = pytest.mark.django_db
GOOD = {
    "messages": [
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": "At\u2028nine."},
    ]
}


@pytest.fixture
def good(tmp_path):
    return write(tmp_path / "lessons.jsonl", *[GOOD] * 12)


def test_a_file_becomes_a_dataset_and_the_next_step_is_told(good):
    said = run("importdataset", good, "--name", "Library hours")
    assert said.startswith("Library hours v1: 12 examples")
    assert "finetune 'Library hours' --wait" in said
    example = Example.objects.first()
    provenance = example.provenance
    assert (example.answer, provenance.source, provenance.author) == (
        "At\u2028nine.",
        "command",
        "command line",
    )


def test_import_tells_programs_what_it_made(good):
    (made,) = rows("importdataset", good, "--name", "Library")
    dataset = Dataset.objects.get()
    version = dataset.latest()
    assert made == {
        "id": dataset.pk,
        "dataset": "Library",
        "version": 1,
        "kind": "chat",
        "format": "chat-jsonl",
        "draft": False,
        "examples": 12,
        "warnings": version.n_warnings,
        "sha256": version.sha256,
    }


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path):
    path = write(tmp_path / "lessons.jsonl", *[GOOD] * 12, end="\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    (made,) = rows("importdataset", path, "--name", "Library")
    assert made["examples"] == 12


BAD = {
    "wrong at line 3": (json.dumps(GOOD) + "\n\n{oops\n").encode(),
    "not UTF-8 at line 2": (json.dumps(GOOD) + "\n").encode() + b'{"messages": "\xff\xfe"}\n',
    "empty": b"",
    "binary": os.urandom(5_000),
}


@pytest.mark.parametrize("command", ["importdataset", "validatedataset"])
@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_refused_in_words_and_nothing_is_stored(tmp_path, command, what):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(BAD[what])
    name = ("--name", "Library") if command == "importdataset" else ()

    told = refusal(command, path, *name)

    assert told.startswith("bad.jsonl")
    if " at line " in what:
        assert f"Line {what[-1]}" in told
    assert not Dataset.objects.exists()


@pytest.mark.parametrize("command", ["importdataset", "validatedataset"])
def test_a_path_that_is_no_file_is_told_in_words(tmp_path, command):
    name = ("--name", "Library") if command == "importdataset" else ()
    assert refusal(command, tmp_path / "nix.jsonl", *name).startswith("There is no file")
    assert "no file" in refusal(command, tmp_path, *name)
    assert not Dataset.objects.exists()


def test_a_file_over_the_limit_is_refused(good, settings):
    settings.MAX_UPLOAD_BYTES = 100
    assert "lessons.jsonl" in refusal("importdataset", good, "--name", "Library")
    assert not Dataset.objects.exists()


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "bell\x07"])
def test_an_unusable_name_is_refused_in_words(good, name):
    assert "name" in refusal("importdataset", good, f"--name={name}")
    assert not Dataset.objects.exists()


def test_problems_are_printed_for_programs_as_well(tmp_path):
    path = write(tmp_path / "bad.jsonl", GOOD, "{oops", "[]")
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("importdataset", str(path), "--name", "x", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert [problem["line"] for problem in told["problems"]] == [2, 3]
    assert set(told["problems"][0]) == {"line", "column", "severity", "code", "message"}


def test_a_good_file_is_said_to_be_good_and_stored_nowhere(good):
    assert "12 examples, fit for training" in run("validatedataset", good)
    (report,) = rows("validatedataset", good)
    assert (report["ok"], report["examples"], report["bytes"]) == (True, 12, good.stat().st_size)
    assert not Dataset.objects.exists()


def test_what_people_wrote_on_discord_is_named_so_and_not_trained_on(good):
    run("importdataset", good, "--name", "Channel", "--source", "discord_message")

    assert Example.objects.first().provenance.source == "discord_message"
    assert "express permission" in refusal("finetune", "Channel")


@pytest.mark.parametrize("command", ["importdataset", "validatedataset"])
def test_a_table_of_unknown_columns_is_refused_with_them_and_what_to_type(tmp_path, command):
    path = tmp_path / "rooms.csv"
    path.write_text("die frage,antwort\n" + "Wo?,Hier.\n" * 12)
    name = ("--name", "Rooms") if command == "importdataset" else ()
    err = io.StringIO()

    with pytest.raises(CommandError, match="The columns are: die frage, antwort"):
        call_command(command, str(path), *name, stdout=io.StringIO(), stderr=err)

    assert "--map prompt='die frage' --map completion=antwort" in err.getvalue()
    mapped = ("--map", "prompt=die frage", "--map", "completion=antwort")
    assert "12 examples" in run(command, path, *name, *mapped)
