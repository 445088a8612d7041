"""`manage.py up` and `manage.py prepare`, as processes of their own."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from dashboard.services import preparation
from dashboard.services.supervision.alone import the_only_one
from tests.ports import free_port
from trainerbot.errors import Conflict

ROOT = Path(__file__).resolve().parents[3]
WAIT_S = 120


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A fresh machine: an empty data folder, free ports, no other setting."""
    kept = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "TRAINERBOT_DATA": str(tmp_path / "data"),
        "TRAINERBOT_PORT": str(free_port()),
        "MODELSERVER_PORT": str(free_port()),
        "DISCORD_TOKEN": "",
    }


@pytest.fixture
def rows_at(environ: dict[str, str], migrated_database: Path) -> Path:
    """The database of that machine, up to date already: to make it takes six seconds."""
    data = Path(environ["TRAINERBOT_DATA"])
    data.mkdir()
    return Path(shutil.copy(migrated_database, data))


def manage(*arguments: str, environ: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def system(environ: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    with manage("up", "--only", "web", environ=environ) as process:
        yield process
        if process.poll() is None:
            process.kill()
            process.communicate()


def lines_until(process: "subprocess.Popen[str]", words: str) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if words in line:
            return lines
    pytest.fail(f"It ended without saying {words!r}: {lines} {process.communicate()}")


def test_up_prepares_serves_refuses_a_second_one_and_stops_at_one_signal(system, environ):
    said = "\n".join(lines_until(system, "Ctrl-C stops everything"))
    url = f"http://127.0.0.1:{environ['TRAINERBOT_PORT']}"
    health = urllib.request.urlopen(f"{url}/healthz", timeout=WAIT_S).status
    second = manage("up", "--only", "web", environ=environ)
    _, refusal = second.communicate(timeout=WAIT_S)
    system.send_signal(signal.SIGINT)
    rest, errors = system.communicate(timeout=WAIT_S)

    assert health == 200
    assert f"TrainerBot is at {url}" in said
    assert re.search(rf"one-time admin link: {url}/start/\S+", said)
    assert second.returncode == 1
    assert f"TrainerBot already runs at {url}." in refusal
    assert refusal.count("\n") == 1
    assert rest.splitlines()[-1].endswith("| Stopped.")
    assert (system.returncode, errors) == (0, "")
    assert process_rows(environ)["web"] == "stopped"


def test_a_second_one_on_the_same_data_folder_is_refused_whatever_its_ports(
    rows_at, system, environ
):
    lines_until(system, "Ctrl-C stops everything")
    others = environ | {"TRAINERBOT_PORT": str(free_port()), "MODELSERVER_PORT": str(free_port())}
    link = (Path(environ["TRAINERBOT_DATA"]) / "first_admin_token").read_text()

    second = manage("up", environ=others)
    _, refusal = second.communicate(timeout=WAIT_S)

    assert second.returncode == 1
    assert "TrainerBot already runs on the data folder" in refusal
    assert refusal.count("\n") == 1
    assert (Path(environ["TRAINERBOT_DATA"]) / "first_admin_token").read_text() == link


def test_the_programs_of_one_data_folder_may_have_a_supervisor_each(settings, tmp_path):
    settings.DATA_DIR = tmp_path

    with (
        the_only_one({"web", "modelserver"}),
        the_only_one({"worker"}),
        pytest.raises(Conflict, match="already runs on the data folder"),
        the_only_one({"web"}),
    ):
        pytest.fail("It ran twice.")
    with the_only_one({"web"}):
        pass


def process_rows(environ: dict[str, str]) -> dict[str, str]:
    path = Path(environ["TRAINERBOT_DATA"]) / "trainerbot.sqlite3"
    with sqlite3.connect(path) as rows:
        found = dict(rows.execute("SELECT name, state FROM dashboard_processstate"))
    rows.close()
    return found


def test_prepare_runs_the_command_that_follows_and_leaves_stdout_to_it(environ, rows_at):
    with closing(sqlite3.connect(rows_at)) as rows, rows:
        rows.execute("DROP TABLE django_session")
        rows.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    environ["DEBUG"] = "True"  # static files are then not compressed, which takes seconds
    process = manage("prepare", "jobs", "--json", environ=environ)
    output, words = process.communicate(timeout=WAIT_S)

    assert process.returncode == 0, words
    assert json.loads(output or "[]") == []
    assert "Bringing the database up to date" in words
    assert "Collecting the static files" in words


def test_prepare_passes_the_exit_code_on(environ, rows_at):
    environ["DEBUG"] = "True"  # static files are then not compressed, which takes seconds
    process = manage("prepare", "validatedataset", "/no/such/file.jsonl", environ=environ)
    _, words = process.communicate(timeout=WAIT_S)

    assert process.returncode not in (0, None)
    assert words


def test_a_database_that_does_not_answer_is_said_without_its_password(environ):
    environ["DATABASE_URL"] = f"postgres://who:hidden@127.0.0.1:{free_port()}/none"
    process = manage("prepare", environ=environ)
    output, words = process.communicate(timeout=WAIT_S)

    assert process.returncode == 1
    assert "Check DATABASE_URL" in words
    assert words.count("\n") == 1
    assert "hidden" not in output + words


@pytest.mark.django_db(transaction=True)
def test_preparing_what_is_prepared_does_nothing(tmp_path, settings):
    settings.DATA_DIR = tmp_path
    settings.STATIC_ROOT = tmp_path / "static"
    first: list[str] = []
    again: list[str] = []

    preparation.prepare(first.append)
    preparation.prepare(again.append)

    assert first == ["Collecting the static files …"]
    assert again == []


@pytest.mark.django_db(transaction=True)
def test_a_data_folder_that_cannot_be_written_is_said(tmp_path, settings):
    (tmp_path / "a-file").touch()
    settings.DATA_DIR = tmp_path
    settings.STATIC_ROOT = tmp_path / "a-file" / "static"

    with pytest.raises(CommandError, match=r"cannot be used \(Not a directory\)"):
        call_command("prepare")


@pytest.mark.django_db(transaction=True)
def test_a_data_folder_that_is_gone_is_said(tmp_path, settings):
    settings.DATA_DIR = tmp_path / "gone"

    with pytest.raises(CommandError, match=r"cannot be used \(unable to open database file\)"):
        call_command("prepare")


@pytest.mark.django_db(transaction=True)
def test_static_files_are_collected_again_when_one_changed(tmp_path, settings):
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "a.css").write_text("a {}")
    settings.DATA_DIR = tmp_path
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATICFILES_DIRS = [sources]
    call_command("prepare")

    (sources / "a.css").write_text("a { color: red }")
    call_command("prepare")

    assert (settings.STATIC_ROOT / "a.css").read_text() == "a { color: red }"
