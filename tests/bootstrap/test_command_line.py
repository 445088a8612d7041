"""What the words after run.py mean."""

import sys
from pathlib import Path

import pytest

from bootstrap import gates
from bootstrap.command_line import parse

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("arguments", "command", "rest"),
    [
        ([], None, []),
        (["up", "--only", "web"], "up", ["--only", "web"]),
        (["test", "-k", "lock", "-x"], "test", ["-k", "lock", "-x"]),
        (["manage", "ask", "Hi", "--json"], "manage", ["ask", "Hi", "--json"]),
        (["manage", "ask", "--help"], "manage", ["ask", "--help"]),
        (["manage"], "manage", ["help"]),
    ],
)
def test_what_follows_a_command_is_its_own(arguments, command, rest):
    options, given = parse(arguments)

    assert (options.command, given) == (command, rest)


def test_only_tests_is_ours_and_not_pytests():
    options, rest = parse(["test", "--only-tests", "tests/house"])

    assert options.only_tests
    assert rest == ["tests/house"]


@pytest.mark.parametrize(
    ("arguments", "command", "rest"),
    [
        (["--with", "train"], None, []),
        (["--with", "train", "test", "-x"], "test", ["-x"]),
        (["--with=train", "manage", "ask"], "manage", ["ask"]),
        (["test", "--with", "train"], "test", ["--with", "train"]),
    ],
)
def test_an_extra_stands_before_the_command(arguments, command, rest):
    options, given = parse(arguments)

    assert (options.command, given) == (command, rest)
    assert options.extra == (None if arguments[0] == "test" else "train")


def test_an_extra_cannot_come_and_go_at_once():
    with pytest.raises(SystemExit):
        parse(["--with", "train", "--without", "train"])


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as refusal:
        parse(["tset"])

    assert refusal.value.code == 2
    assert "tset" in capsys.readouterr().err


def test_tests_are_counted_from_what_pytest_wrote(tmp_path):
    report = tmp_path / "pytest.xml"
    report.write_text(
        '<testsuites><testsuite tests="7" failures="1" errors="1" skipped="2"/></testsuites>'
    )

    assert gates.read_counts(report) == gates.Counts(ran=5, failed=2, skipped=2)


@pytest.mark.parametrize("written", [None, "", "<testsuites>"])
def test_a_pytest_that_wrote_nothing_counts_as_no_test(tmp_path, written):
    report = tmp_path / "pytest.xml"
    if written is not None:
        report.write_text(written)

    assert gates.read_counts(report) is None


def test_set_up_imports_the_standard_library_only():
    imported = set()
    for path in (ROOT / "bootstrap").glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(("import ", "from ")):
                imported.add(line.split()[1].partition(".")[0])

    assert imported <= sys.stdlib_module_names | {"bootstrap"}
