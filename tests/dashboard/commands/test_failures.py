"""A machine in trouble: commands say what is wrong in a sentence, and leave nothing half done."""

import json
import resource
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.dashboard.commands.running import environ, manage, write

MOST_BYTES = 400_000


@pytest.fixture
def data(tmp_path: Path, migrated_database: Path) -> Path:
    """A data folder with every table and no row."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(migrated_database, data)
    return data


def small_files_only() -> None:
    """From now on no file grows over 400 kB: to a program, a disk without room."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))


def only_line(text: str) -> str:
    assert "Traceback" not in text
    (line,) = text.strip().splitlines()
    return line


def test_an_import_that_fills_the_disk_stores_nothing_half(tmp_path, data):
    row = {
        "messages": [
            {"role": "user", "content": "Which shelf? " * 20},
            {"role": "assistant", "content": "The third. " * 20},
        ]
    }
    path = write(tmp_path / "lessons.jsonl", *[row] * 2_000)

    done = manage(
        "importdataset", path, "--name", "Shelves",
        env=environ(TRAINERBOT_DATA=str(data)), before=small_files_only,
    )  # fmt: skip

    assert done.returncode == 1
    assert "disk" in only_line(done.stderr)
    with closing(sqlite3.connect(data / "trainerbot.sqlite3")) as rows:
        for table in ("dataset", "datasetversion", "example"):
            (count,) = rows.execute(f"SELECT count(*) FROM dashboard_{table}").fetchone()
            assert count == 0, table
        assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_database_without_tables_is_told_with_the_remedy(tmp_path):
    done = manage("jobs", env=environ(TRAINERBOT_DATA=str(tmp_path)))
    assert done.returncode == 1
    assert "manage migrate" in only_line(done.stderr)


def test_a_database_that_is_away_is_told_in_words(tmp_path):
    env = environ(TRAINERBOT_DATA=str(tmp_path), DATABASE_URL="postgres://me:pw@127.0.0.1:9/rows")
    done = manage("correct", "When?", "At nine.", env=env)
    assert done.returncode == 1
    assert "Check DATABASE_URL" in only_line(done.stderr)
    assert "pw" not in done.stderr


def test_a_bad_file_ends_the_process_with_a_code_that_tells(tmp_path, data):
    path = write(tmp_path / "bad.jsonl", "{oops")
    done = manage("correct", "--file", path, "--json", env=environ(TRAINERBOT_DATA=str(data)))
    assert done.returncode == 1
    assert "Line 1, column 2" in only_line(done.stderr)
    assert done.stdout == ""


def test_an_endpoint_address_that_is_none_is_told_in_words(data):
    env = environ(TRAINERBOT_DATA=str(data), OPENAI_BASE_URL="nonsense")
    done = manage("ask", "When?", "--json", env=env)
    assert done.returncode == 1
    assert "http://" in only_line(done.stderr)
    assert json.dumps(done.stdout) == '""'
