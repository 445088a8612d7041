"""Lock files: what is found wrong with them, and what they are made from."""

from pathlib import Path

import pytest

from bootstrap import locks
from bootstrap.console import SetupFailed

PYPROJECT = """
[project]
name = "small"
requires-python = ">=3.11"
dependencies = [{dependencies}]

[dependency-groups]
dev = ["pytest"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT.format(dependencies='"django"'))
    first = locks.MADE_FROM + locks.fingerprint(tmp_path)
    (tmp_path / locks.RUN).write_text(f"{first}\ndjango==5.2.1 \\\n    --hash=sha256:00\n")
    (tmp_path / locks.MODEL).write_text(f"{first}\nxllamacpp==1.0 --hash=sha256:00\n")
    (tmp_path / locks.DEV).write_text(f"{first}\npytest==9.0 --hash=sha256:00\n")
    (tmp_path / locks.TRAIN).write_text(f"{first}\ntrl==1.16 --hash=sha256:00\n")
    return tmp_path


def test_sound_locks_have_no_problems(folder):
    assert locks.problems(folder) == []


def test_an_address_in_a_lock_is_found(folder):
    with open(folder / locks.DEV, "a") as file:
        file.write("--index-url https:" + "//example.org/simple\n")

    assert locks.problems(folder) == [f"{locks.DEV} holds an address (://)."]


def test_a_forgotten_lock_is_found_for_every_lock(folder):
    (folder / "pyproject.toml").write_text(PYPROJECT.format(dependencies='"django", "redis"'))

    found = locks.problems(folder)

    assert len(found) == 4
    assert "python3 run.py lock" in found[0]


def test_layout_and_comments_of_pyproject_do_not_ask_for_new_locks(folder):
    before = locks.fingerprint(folder)
    text = (folder / "pyproject.toml").read_text()

    (folder / "pyproject.toml").write_text("# a comment\n" + text + "\n[tool.ruff]\nx = 1\n")

    assert locks.fingerprint(folder) == before


def test_two_versions_of_one_package_are_found(folder):
    with open(folder / locks.DEV, "a") as file:
        file.write("django==5.2.2 --hash=sha256:00\n")

    assert locks.problems(folder) == [
        f"django is ['5.2.1'] in {locks.RUN}, ['5.2.2'] in {locks.DEV}."
    ]


def test_two_versions_of_one_package_are_found_outside_of_the_run_too(folder):
    with open(folder / locks.TRAIN, "a") as file:
        file.write("xllamacpp==2.0 --hash=sha256:00\n")

    assert locks.problems(folder) == [
        f"xllamacpp is ['1.0'] in {locks.MODEL}, ['2.0'] in {locks.TRAIN}."
    ]


def test_pins_are_read_with_markers_and_several_versions():
    text = "Numpy==2.1 ; python_version < '3.12' \\\n  --hash=sha256:00\nnumpy==2.2\n# a==1\n"

    assert locks.pins(text) == {"numpy": {"2.1", "2.2"}}


def test_a_missing_lock_is_said_with_the_remedy(tmp_path):
    with pytest.raises(SetupFailed, match=r"git checkout -- requirements\.lock"):
        locks.digest(tmp_path, locks.RUN)
