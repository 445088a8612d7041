"""Real failures of disk and database, made with an SQLite file of their own."""

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.db import IntegrityError, connection
from django.db.utils import ConnectionHandler

from dashboard.services import storage
from dashboard.services.storage import DatabaseRefused, DatabaseUnavailable
from trainerbot.errors import InvalidInput, StorageFull

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(tmp_path):
    """A small database: one table, one row, little patience."""
    path = tmp_path / "rows.sqlite3"
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("CREATE TABLE words (word TEXT UNIQUE NOT NULL)")
        made.execute("INSERT INTO words VALUES ('taken')")
    options = {"timeout": 0.05, "transaction_mode": "IMMEDIATE"}
    handler = ConnectionHandler(
        {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(path),
                "OPTIONS": options,
            }
        }
    )
    yield handler["default"]
    handler["default"].close()


def execute(rows, sql: str, *params: object) -> None:
    with storage.failures_in_words(), rows.cursor() as cursor:
        cursor.execute(sql, params)


def test_a_database_that_another_holds_is_busy(rows):
    with closing(sqlite3.connect(rows.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseUnavailable, match="busy") as raised:
            execute(rows, "INSERT INTO words VALUES ('new')")
    assert raised.value.retryable


def test_a_full_disk_is_said_to_be_full_and_nothing_is_half_stored(rows):
    with rows.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 4")
    with pytest.raises(StorageFull, match="disk is full"):
        execute(rows, "INSERT INTO words VALUES (%s)", "x" * 100_000)
    with rows.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM words")
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_below_a_file_is_told_the_same(number):
    with pytest.raises(StorageFull), storage.failures_in_words():
        raise OSError(number, "no room")


def test_other_troubles_with_files_are_left_to_whoever_knows_the_file():
    with pytest.raises(FileNotFoundError), storage.failures_in_words():
        Path("/nowhere/at/all").read_bytes()


def test_tables_that_are_missing_are_told_with_the_remedy(rows):
    with pytest.raises(DatabaseUnavailable, match="manage migrate"):
        execute(rows, "SELECT * FROM sentences")
    with pytest.raises(DatabaseUnavailable, match="manage migrate"), storage.failures_in_words():
        connection.cursor().execute("SELECT * FROM sentences")


def test_a_database_that_may_only_be_read_is_told(rows):
    with rows.cursor() as cursor:
        cursor.execute("PRAGMA query_only = 1")
    with pytest.raises(DatabaseUnavailable, match="only be read"):
        execute(rows, "INSERT INTO words VALUES ('new')")


def test_rows_that_break_a_rule_are_refused(rows):
    with pytest.raises(DatabaseRefused, match="Nothing was stored") as raised:
        execute(rows, "INSERT INTO words VALUES ('taken')")
    assert isinstance(raised.value.__cause__, IntegrityError)


def test_every_database_holds_text_but_no_nul_and_no_half_characters():
    assert storage.holds("Grüße 🎉 \u2028\x85\x1f")
    assert not storage.holds("nul \x00")
    assert not storage.holds("half \ud83d")


@pytest.mark.parametrize("text", ["nul \x00", "half \ud83d"])
def test_what_no_database_holds_is_refused_by_its_name(text):
    storage.check_text("Größe 👍\n", what="The note")
    with pytest.raises(InvalidInput, match="The note holds characters that are no text"):
        storage.check_text(text, what="The note")
