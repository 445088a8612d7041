"""Bytes come in piece by piece, over connections that break."""

import json

import pytest
from django.db import OperationalError, connection
from django.utils.timezone import now

from dashboard.models import AuditEvent, DatasetImport, Task
from dashboard.services import imports, tasks
from tests.dashboard.imports.conftest import row
from tests.factories import UserFactory
from trainerbot.errors import Conflict, InvalidInput, StorageFull

pytestmark = pytest.mark.django_db(transaction=True)
LINES = "".join(json.dumps(row(n)) + "\n" for n in range(12)).encode()


@pytest.fixture
def begun():
    return imports.begin_upload(
        filename="rooms.jsonl", n_bytes=len(LINES), created_by=UserFactory(trainer=True)
    )


def run_tasks() -> None:
    while tasks.run_next("a worker"):
        pass


def test_an_upload_in_pieces_is_checked_once_it_is_whole(begun):
    assert imports.receive(begun, offset=0, pieces=[LINES[:100], LINES[100:200]]) == 200
    assert begun.state == DatasetImport.State.RECEIVING
    assert imports.receive(begun, offset=200, pieces=[LINES[200:]]) == len(LINES)

    run_tasks()

    begun.refresh_from_db()
    assert begun.state == DatasetImport.State.CHECKED
    assert begun.file_format == "chat-jsonl"
    assert (begun.report["n_examples"], begun.report["n_errors"]) == (12, 0)


def test_a_piece_at_the_wrong_place_is_refused_with_the_right_one(begun):
    imports.receive(begun, offset=0, pieces=[LINES[:100]])
    with pytest.raises(Conflict, match=r"next byte of rooms\.jsonl is 100"):
        imports.receive(begun, offset=0, pieces=[LINES])


def test_a_connection_that_breaks_loses_only_the_piece_on_its_way(begun):
    def broken():
        yield LINES[:100]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        imports.receive(begun, offset=0, pieces=broken())

    begun.refresh_from_db()
    assert begun.n_received == 0
    assert imports.receive(begun, offset=0, pieces=[LINES]) == len(LINES)
    assert imports.path_of(begun).read_bytes() == LINES


def test_more_than_was_announced_is_refused(begun):
    with pytest.raises(InvalidInput, match="longer than was announced"):
        imports.receive(begun, offset=0, pieces=[LINES, b"more"])


@pytest.mark.parametrize(("n_bytes", "said"), [(0, "empty"), (10**12, "over the limit")])
def test_a_hopeless_size_is_refused_before_a_byte_has_come(n_bytes, said):
    with pytest.raises(InvalidInput, match=said):
        imports.begin_upload(filename="x.jsonl", n_bytes=n_bytes, created_by=None)
    assert not DatasetImport.objects.exists()


def test_a_filename_names_no_place_on_the_disk():
    begun = imports.begin_upload(filename="../../etc/passwd", n_bytes=5, created_by=None)
    assert begun.filename == "passwd"
    assert imports.path_of(begun).name == str(begun.key)


def test_a_checked_upload_becomes_a_draft_and_its_file_is_deleted(begun):
    imports.receive(begun, offset=0, pieces=[LINES])
    run_tasks()
    begun.refresh_from_db()

    imports.start_import(begun, name="Rooms", actor=begun.created_by, licence="MIT")
    run_tasks()

    begun.refresh_from_db()
    version = begun.version
    assert (begun.state, version.n_examples, version.is_draft) == ("imported", 12, True)
    provenance = version.examples.first().provenance
    assert (provenance.source, provenance.licence) == ("upload", "MIT")
    assert provenance.author == begun.created_by.username
    assert not imports.path_of(begun).exists()


def test_a_file_with_a_fault_is_imported_without_it_only_when_asked(write):
    bad = LINES + b"{oops\n"
    begun = imports.begin_upload(filename="rooms.jsonl", n_bytes=len(bad), created_by=None)
    imports.receive(begun, offset=0, pieces=[bad])
    run_tasks()
    begun.refresh_from_db()

    with pytest.raises(imports.DatasetRefused, match="Line 13"):
        imports.start_import(begun, name="Rooms", actor=None)
    imports.start_import(begun, name="Rooms", actor=None, skip_faulty=True)
    run_tasks()

    begun.refresh_from_db()
    assert begun.version.n_examples == 12


def test_a_cancelled_upload_leaves_nothing(begun):
    imports.receive(begun, offset=0, pieces=[LINES[:100]])
    imports.cancel(begun, actor=None)

    assert begun.state == DatasetImport.State.CANCELLED
    assert not imports.path_of(begun).exists()
    with pytest.raises(Conflict, match="received already"):
        imports.receive(begun, offset=100, pieces=[LINES[100:]])


def test_an_import_that_waits_for_its_worker_can_be_cancelled(begun):
    imports.receive(begun, offset=0, pieces=[LINES])
    imports.cancel(begun, actor=None)

    run_tasks()

    begun.refresh_from_db()
    assert begun.state == DatasetImport.State.CANCELLED
    assert not Task.objects.unfinished().exists()


def test_what_is_over_cannot_be_cancelled(begun):
    imports.cancel(begun, actor=None)
    with pytest.raises(Conflict, match="over already"):
        imports.cancel(begun, actor=None)


def test_two_connections_never_write_one_file_at_once(begun):
    def in_the_middle():
        yield LINES[:100]
        with pytest.raises(Conflict, match="being received just now"):
            imports.receive(DatasetImport.objects.get(), offset=0, pieces=[b"other words"])
        yield LINES[100:]

    assert imports.receive(begun, offset=0, pieces=in_the_middle()) == len(LINES)
    assert imports.path_of(begun).read_bytes() == LINES


def test_a_sender_that_knew_the_upload_before_the_last_piece_came_cuts_nothing_off(begun):
    earlier = DatasetImport.objects.get()
    imports.receive(begun, offset=0, pieces=[LINES[:100]])

    with pytest.raises(Conflict, match=r"next byte of rooms\.jsonl is 100"):
        imports.receive(earlier, offset=0, pieces=[LINES[:50]])

    assert imports.path_of(begun).read_bytes() == LINES[:100]


def test_bytes_that_went_from_the_disk_are_asked_for_again(begun):
    imports.receive(begun, offset=0, pieces=[LINES[:100]])
    imports.path_of(begun).write_bytes(LINES[:60])

    with pytest.raises(Conflict, match=r"next byte of rooms\.jsonl is 60"):
        imports.receive(begun, offset=100, pieces=[LINES[100:]])

    assert imports.receive(begun, offset=60, pieces=[LINES[60:]]) == len(LINES)
    assert imports.path_of(begun).read_bytes() == LINES


def test_what_comes_for_a_cancelled_upload_leaves_no_file(begun):
    def in_the_middle():
        yield LINES[:100]
        imports.cancel(DatasetImport.objects.get(), actor=None)
        yield LINES[100:]

    with pytest.raises(Conflict, match="moved on"):
        imports.receive(begun, offset=0, pieces=in_the_middle())

    assert list(imports.path_of(begun).parent.glob(f"{begun.key}*")) == []


def test_a_whole_file_that_nobody_checks_cannot_be(begun):
    """Its last byte and its check are one transaction; a kill in between would hang it."""

    def no_room(execute, sql, *args):
        if sql.startswith('INSERT INTO "dashboard_task"'):
            raise OperationalError("database or disk is full")
        return execute(sql, *args)

    with connection.execute_wrapper(no_room), pytest.raises(StorageFull):
        imports.receive(begun, offset=0, pieces=[LINES])

    begun.refresh_from_db()
    assert (begun.state, begun.n_received) == ("receiving", 0)


def test_what_the_sender_says_beforehand_counts_in_the_first_check():
    text = json.dumps([{"text": "Add to cart"}]).encode()
    begun = imports.begin_upload(
        filename="shops.json",
        n_bytes=len(text),
        created_by=None,
        options={"label": "positive"},
    )

    imports.receive(begun, offset=0, pieces=[text])
    run_tasks()

    begun.refresh_from_db()
    assert begun.options["label"] == "positive"
    assert (begun.report["n_examples"], begun.report["n_errors"]) == (1, 0)


def test_who_cancelled_is_noted_for_a_person_without_an_account(begun):
    imports.cancel(begun, actor=None, name="ada")

    assert AuditEvent.objects.get(action="import.cancel").actor_name == "ada"


def test_a_checked_file_can_be_cancelled_while_its_task_has_not_quite_ended(begun):
    imports.receive(begun, offset=0, pieces=[LINES])
    run_tasks()
    Task.objects.filter(kind="import-check").update(
        state=Task.State.RUNNING, worker="slow", lease_until=now()
    )
    imports.cancel(begun, actor=None)

    begun.refresh_from_db()
    assert begun.state == DatasetImport.State.CANCELLED
    assert not imports.path_of(begun).exists()
