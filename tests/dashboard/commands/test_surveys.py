"""`--survey`: what a file would cost, repeat and give away, before a row of it is stored."""

import pytest

from tests.dashboard.commands.running import rows, run, write

pytestmark = pytest.mark.django_db
ASK = {"role": "user", "content": "Write to ada@example.org?"}
GOOD = {"messages": [ASK, {"role": "assistant", "content": "At nine."}]}


@pytest.mark.parametrize(
    "command", [("validatedataset",), ("importdataset", "--name", "Library")], ids=lambda c: c[0]
)
def test_what_a_file_would_bring_is_told_in_words(tmp_path, command):
    path = write(tmp_path / "lessons.jsonl", *[GOOD] * 10)
    name, *options = command

    said = run(name, path, *options, "--survey")

    assert "tokens" in said
    assert "Duplicates: 9 word for word, 0 nearly." in said
    assert "Private data: in 10 rows (e-mail 10)." in said


@pytest.mark.parametrize(
    "command", [("validatedataset",), ("importdataset", "--name", "Library")], ids=lambda c: c[0]
)
def test_programs_are_told_what_a_file_would_bring(tmp_path, command):
    path = write(tmp_path / "lessons.jsonl", *[GOOD] * 10)
    name, *options = command

    (told,) = rows(name, path, *options, "--survey")

    assert told["survey"]["duplicates"] == {"exact": 9, "compared": 10, "near": 0}
    assert told["survey"]["private"] == {"rows": 10, "kinds": {"e-mail": 10}}


def test_who_does_not_ask_is_not_kept_waiting(tmp_path):
    path = write(tmp_path / "lessons.jsonl", GOOD)

    assert "Duplicates" not in run("validatedataset", path)
