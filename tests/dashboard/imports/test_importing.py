"""From a file to the rows of a version: whole or not at all."""

import hashlib
import json
import os
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils.timezone import now

from dashboard.models import (
    Dataset,
    DatasetVersion,
    Example,
    OutboxEvent,
    Provenance,
)
from dashboard.services import datasets, imports
from dashboard.services.imports.cancelling import ABANDONED_AFTER
from dashboard.services.imports.rows import BATCH
from tests.dashboard.imports.conftest import row
from tests.factories import DatasetVersionFactory
from trainerbot.errors import DatasetFrozen, InvalidInput, NotFound

pytestmark = pytest.mark.django_db


def test_a_file_becomes_the_first_version_of_a_new_dataset(write):
    version = imports.import_file(write(*map(row, range(12))), name="  Rooms ")
    assert (version.dataset.name, version.number, version.n_examples) == ("Rooms", 1, 12)
    first = version.examples.order_by("position").first()
    assert (first.question, first.line) == ("Where is room 0?", 1)
    assert first.provenance.source == Provenance.Source.COMMAND
    assert not version.is_draft


def test_the_hash_is_that_of_the_exported_file(write, tmp_path):
    version = imports.import_file(write(*map(row, range(3))), name="Rooms")
    datasets.write_training_file(version, tmp_path / "out.jsonl", method="supervised")
    exported = (tmp_path / "out.jsonl").read_bytes()
    assert hashlib.sha256(exported).hexdigest() == version.sha256
    assert len(exported) == version.n_bytes


def test_export_gives_back_every_key_of_every_row(write, tmp_path):
    rows = [row(1, parallel_tool_calls=False), row(2)]
    version = imports.import_file(write(*rows), name="Rooms")
    assert [json.loads(line) for line in datasets.lines(version)] == rows


def test_the_same_rows_make_no_second_version(write):
    first = imports.import_file(write(row(1), row(2)), name="Rooms")
    again = imports.import_file(write(row(1), "", row(2), name="spaced.jsonl"), name="Rooms")
    assert again == first


def test_other_rows_make_the_next_version(write):
    imports.import_file(write(row(1)), name="Rooms")
    second = imports.import_file(write(row(1), row(2)), name="Rooms")
    assert second.number == 2
    assert Dataset.objects.count() == 1


def test_one_bad_line_and_nothing_is_stored(write):
    with pytest.raises(imports.DatasetRefused, match=r"Line 2, .*Nothing was stored") as refusal:
        imports.import_file(write(row(1), "{oops", row(3)), name="Rooms")
    assert refusal.value.report.first_error.line == 2
    assert not Dataset.objects.exists()


def test_an_empty_file_is_refused_in_words(tmp_path):
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(InvalidInput, match="empty"):
        imports.import_file(tmp_path / "empty.jsonl", name="Rooms")


def test_a_file_over_the_limit_is_refused_before_it_is_read(write, settings):
    settings.MAX_UPLOAD_BYTES = 100
    with pytest.raises(imports.DatasetRefused, match="over the limit"):
        imports.import_file(write(*map(row, range(5))), name="Rooms")


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\x00b"])
def test_an_unusable_name_is_refused(write, name):
    with pytest.raises(InvalidInput, match="name"):
        imports.import_file(write(row(1)), name=name)


def test_a_version_never_changes():
    version = DatasetVersionFactory()
    version.n_examples = 99
    with pytest.raises(DatasetFrozen, match="never changes"):
        version.save()


def test_a_deleted_dataset_leaves_the_lists_and_comes_back_with_a_new_import(write):
    version = imports.import_file(write(row(1)), name="Rooms")
    datasets.archive(version.dataset, actor=None)
    with pytest.raises(NotFound, match="importdataset"):
        datasets.named("Rooms")
    assert DatasetVersion.objects.count() == 1

    imports.import_file(write(row(2)), name="Rooms")
    assert datasets.named("Rooms").latest().number == 2


def test_open_pages_hear_of_an_import(write):
    imports.import_file(write(row(1)), name="Rooms")
    assert OutboxEvent.objects.get(topic="datasets").payload["created"]


class Rows:
    """Watches the statements that store examples; at the `fails_at`th the disk is full."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.fails_at = fails_at
        self.depths: list[int] = []
        self.visible: list[Dataset | DatasetVersion] = []

    def __call__(self, execute, sql, *args):
        if sql.startswith("INSERT INTO dashboard_example ("):
            self.depths.append(len(connection.atomic_blocks))
            self.visible += [*Dataset.objects.current(), *DatasetVersion.objects.all()]
            if len(self.depths) == self.fails_at:
                raise OperationalError("database or disk is full")
        return execute(sql, *args)


@pytest.mark.django_db(transaction=True)
def test_others_can_write_between_the_rows_of_an_import_and_see_none_of_them(write):
    n_rows = 2 * BATCH + 1
    path = write(*map(row, range(n_rows)))

    with connection.execute_wrapper(rows := Rows()):
        version = imports.import_file(path, name="Rooms")

    assert len(rows.depths) >= 3
    assert set(rows.depths) == {1}  # each its own transaction
    assert rows.visible == []
    assert version.examples.count() == n_rows
    assert datasets.named("Rooms").latest() == version


@pytest.mark.django_db(transaction=True)
def test_an_import_that_fails_half_way_leaves_nothing(write):
    path = write(*map(row, range(3 * BATCH)))

    with (
        connection.execute_wrapper(Rows(fails_at=3)),
        pytest.raises(InvalidInput, match="disk is full"),
    ):
        imports.import_file(path, name="Rooms")

    assert not Dataset.objects.exists()
    assert not DatasetVersion.everything.exists()
    assert not Example.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_import_that_fails_leaves_the_versions_before_it(write):
    first = imports.import_file(write(row(1)), name="Rooms")

    with connection.execute_wrapper(Rows(fails_at=1)), pytest.raises(InvalidInput):
        imports.import_file(write(row(2)), name="Rooms")

    assert datasets.named("Rooms").latest() == first
    assert imports.import_file(write(row(2)), name="Rooms").number == 2


def test_a_killed_import_is_unseen_and_forgotten_later():
    half = DatasetVersionFactory(is_whole=False, dataset__archived_at=now())
    young = DatasetVersionFactory(is_whole=False, dataset__archived_at=now())
    DatasetVersion.everything.filter(pk=half.pk).update(
        created_at=now() - ABANDONED_AFTER - timedelta(minutes=1)
    )

    imports.forget_unfinished()

    assert half.dataset.latest() is None
    assert list(DatasetVersion.everything.all()) == [young]
    assert not Dataset.objects.filter(pk=half.dataset_id).exists()
    assert not Example.objects.filter(version=half.pk).exists()


def test_a_file_that_changes_while_it_is_read_is_refused_and_nothing_is_stored(write):
    path = write(*map(row, range(4 * BATCH)))

    def meddle(execute, sql, params, many, context):
        if sql.startswith("INSERT INTO dashboard_example ("):
            write(*map(row, range(600, 1_200)))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meddle), pytest.raises(InvalidInput, match="Import it again"):
        imports.import_file(path, name="Rooms")
    assert not Dataset.objects.exists()
    assert not Example.objects.exists()


def test_other_rows_in_the_same_number_are_noticed_too(write):
    path = write(*map(row, range(4 * BATCH)))

    def meddle(execute, sql, params, many, context):
        if sql.startswith("INSERT INTO dashboard_example ("):
            write(*map(row, range(4 * BATCH, 8 * BATCH)))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meddle), pytest.raises(InvalidInput, match="Import it again"):
        imports.import_file(path, name="Rooms")
    assert not Example.objects.exists()


def test_pages_hear_when_the_same_file_brings_a_deleted_dataset_back(write):
    path = write(row(1))
    version = imports.import_file(path, name="Rooms")
    datasets.archive(version.dataset, actor=None)
    OutboxEvent.objects.all().delete()
    assert imports.import_file(path, name="Rooms") == version
    assert OutboxEvent.objects.get(topic="datasets").payload == {
        "id": version.dataset.pk,
        "created": False,
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="There are no pipes in folders on Windows.")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")

    with pytest.raises(InvalidInput, match="is a pipe"):
        imports.import_file(tmp_path / "pipe.jsonl", name="Rooms")
