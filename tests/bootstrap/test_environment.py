"""When the environment is made, synced or left alone. Nothing here reaches an index."""

import importlib.util
import os
import sys
import threading
from pathlib import Path

import pytest

from bootstrap import environment, locks
from bootstrap.console import SetupFailed
from bootstrap.environment import Environment, Stamp
from bootstrap.filelock import hold


@pytest.fixture
def made(tmp_path: Path) -> Environment:
    """An environment as set-up leaves it, with the locks of a run but no test tools."""
    for name in locks.SELECTION:
        (tmp_path / name).write_text(name)
    made = Environment(tmp_path)
    made.python.parent.mkdir(parents=True)
    made.python.touch()
    (made.folder / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\n")
    digests = {name: locks.digest(tmp_path, name) for name in (locks.RUN, locks.MODEL)}
    Stamp(str(tmp_path), digests, has_model=True).write(made.stamp_path)
    return made


def test_an_environment_in_step_is_left_alone(made):
    assert environment.prepare(made.root, dev=False) == made
    assert made.is_in_step([locks.RUN, locks.MODEL])


def test_a_changed_lock_asks_for_a_sync(made):
    (made.root / locks.RUN).write_text("changed")

    assert not made.is_in_step([locks.RUN])


def test_test_tools_ask_for_a_sync_once(made):
    assert not made.is_in_step([locks.RUN, locks.MODEL, locks.DEV])


def test_an_environment_of_another_folder_is_not_in_step(made):
    stamp = Stamp.read(made.stamp_path)
    assert stamp is not None
    Stamp("/elsewhere", stamp.digests, has_model=True).write(made.stamp_path)

    assert not made.is_in_step([locks.RUN])


def test_an_environment_whose_python_is_gone_is_not_in_step(made):
    (made.folder / "pyvenv.cfg").write_text("home = /gone\n")

    assert not made.has_python()
    assert not made.is_in_step([locks.RUN])


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"folder": "x"}'])
def test_a_broken_stamp_counts_as_none(made, broken):
    made.stamp_path.write_text(broken)

    assert Stamp.read(made.stamp_path) is None
    assert not made.is_in_step([locks.RUN])


def test_an_environment_that_is_a_link_is_used_as_it_is(made, tmp_path_factory):
    worktree = tmp_path_factory.mktemp("worktree")
    (worktree / ".venv").symlink_to(made.folder, target_is_directory=True)

    assert environment.prepare(worktree, dev=True).folder == worktree / ".venv"


def test_a_python_without_ensurepip_is_told_the_package_to_install():
    with pytest.raises(SetupFailed, match=r"without ensurepip.*apt install python3\.\d+-venv"):
        environment.refuse_without_pip(
            lambda name: None if name == "ensurepip" else importlib.util.find_spec(name)
        )


def test_a_second_one_says_that_it_waits_and_then_goes_on(tmp_path):
    path = tmp_path / ".venv" / "trainerbot.lock"
    waits, through = threading.Event(), threading.Event()

    def second() -> None:
        with hold(path, on_wait=waits.set):
            through.set()

    with hold(path, on_wait=lambda: pytest.fail("The first one waited.")):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(60)
        assert not through.is_set()
    thread.join(60)

    assert through.is_set()


def test_a_uv_that_is_a_shim_with_nothing_behind_it_is_passed_over(made, monkeypatch):
    shims = made.root / "shims"
    shims.mkdir()
    for folder, words in (
        (shims, "pyenv: uv: command not found"),
        (made.python.parent, "uv 0.9.1"),
    ):
        program = folder / "uv"
        program.write_text(f"#!/bin/sh\necho '{words}'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(shims), prepend=os.pathsep)

    assert environment.find_uv(made) == made.program("uv")


def test_a_uv_that_is_too_old_is_passed_over(made, monkeypatch):
    program = made.program("uv")
    program.write_text("#!/bin/sh\necho 'uv 0.3.9'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", "/nowhere")

    assert environment.find_uv(made) is None
