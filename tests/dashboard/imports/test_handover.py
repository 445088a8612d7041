"""Who may move an import: one worker of two, one person of two, and a stop that always comes through."""

import os
from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now

from dashboard.models import DatasetImport, DatasetVersion, Example, Provenance, Task
from dashboard.services import imports, searching, tasks
from dashboard.services.imports.moving import ends_in_words, listener
from dashboard.services.imports.receiving import start_check
from dashboard.services.imports.rows import discard
from dashboard.services.tasks import Run
from tests.dashboard.imports.conftest import row
from trainerbot.errors import Conflict, InvalidInput

pytestmark = pytest.mark.django_db(transaction=True)
State = DatasetImport.State


@pytest.fixture
def received(write):
    path = write(*map(row, range(12)))
    imported = DatasetImport.objects.create(
        filename=path.name, path=str(path), n_bytes=path.stat().st_size, state="received"
    )
    start_check(imported)
    return imported


@pytest.fixture
def checked(received):
    tasks.run_next("a worker")
    received.refresh_from_db()
    return received


def run_tasks() -> None:
    while tasks.run_next("a worker"):
        pass


def abandon_leases() -> None:
    Task.objects.filter(state="running").update(lease_until=now() - timedelta(seconds=1))


class At:
    """Calls `act` before the first statement that holds `words`."""

    def __init__(self, words, act):
        self.words, self.act = words, act

    def __call__(self, execute, sql, *args):
        if self.act is not None and self.words in sql:
            act, self.act = self.act, None
            act()
        return execute(sql, *args)


def another_finishes() -> None:
    abandon_leases()
    tasks.run_next("the second")


def test_a_worker_that_slept_deletes_nothing_of_what_another_finished(checked):
    imports.start_import(checked, name="Rooms", actor=None, freeze=True)

    with connection.execute_wrapper(At('"frozen_at" IS NOT NULL', another_finishes)):
        tasks.run_next("the first")

    checked.refresh_from_db()
    assert (checked.state, checked.version.is_whole) == (State.IMPORTED, True)
    assert checked.version.examples.count() == 12


def test_a_worker_that_slept_does_not_fail_what_another_finished(checked):
    imports.start_import(checked, name="Rooms", actor=None, freeze=True)
    run = Run(tasks.claim("the first"), "the first")
    stale = DatasetImport.objects.get(pk=checked.pk)

    def sleep_and_fail():
        with ends_in_words(stale, run, undo=discard):
            another_finishes()
            raise Conflict("The file is another one now.")

    with pytest.raises(Conflict):
        sleep_and_fail()

    checked.refresh_from_db()
    assert (checked.state, checked.version.examples.count()) == (State.IMPORTED, 12)


def test_a_check_that_slept_moves_nothing_back(received):
    def finish_and_start(step, share):
        listener.set(None)
        another_finishes()
        fresh = DatasetImport.objects.get(pk=received.pk)
        imports.start_import(fresh, name="Rooms", actor=None)

    token = listener.set(finish_and_start)
    tasks.run_next("the first")
    listener.reset(token)

    received.refresh_from_db()
    assert received.state == State.IMPORTING


def test_a_stop_asked_for_while_a_killed_worker_held_the_import_comes_through(checked):
    imports.start_import(checked, name="Rooms", actor=None)
    tasks.claim("the killed one")
    imports.cancel(checked, actor=None)
    abandon_leases()

    run_tasks()

    checked.refresh_from_db()
    assert checked.state == State.CANCELLED
    assert not DatasetVersion.everything.exists()


def test_a_stop_asked_for_at_the_last_moment_of_a_check_comes_through(received):
    def ask(step, share):
        imports.cancel(DatasetImport.objects.get(pk=received.pk), actor=None)

    token = listener.set(ask)
    run_tasks()
    listener.reset(token)

    received.refresh_from_db()
    assert received.state == State.CANCELLED


def test_two_people_who_start_one_import_store_it_once(checked):
    second = DatasetImport.objects.get(pk=checked.pk)
    imports.start_import(checked, name="Rooms", actor=None)
    with pytest.raises(Conflict, match="moved on"):
        imports.start_import(second, name="Halls", actor=None)
    with pytest.raises(Conflict, match="moved on"):
        imports.choose(second, file_format="chat-jsonl", options={})
    run_tasks()
    assert Example.objects.count() == 12


def test_a_file_that_went_before_its_worker_came_is_told_in_words(checked):
    imports.start_import(checked, name="Rooms", actor=None)
    os.unlink(checked.path)

    run_tasks()

    checked.refresh_from_db()
    assert checked.state == State.FAILED
    assert checked.error == "taught.jsonl is no longer there. Import it again."


def test_who_says_now_that_the_words_are_from_discord_is_not_given_the_version_that_said_no(write):
    path = write(*map(row, range(12)))
    first = imports.import_file(path, name="Rooms")

    second = imports.import_file(path, name="Rooms", source=Provenance.Source.DISCORD_MESSAGE)

    assert (first.number, second.number) == (1, 2)
    assert second.examples.first().provenance.source == "discord_message"
    assert imports.import_file(path, name="Rooms", source="discord_message") == second


def test_who_stops_the_command_stops_the_import(write):
    def stop(step, share):
        if step == "importing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        imports.import_file(write(*map(row, range(12))), name="Rooms", progress=stop)

    run_tasks()
    assert DatasetImport.objects.get().state == State.CANCELLED
    assert not DatasetVersion.everything.exists()


def test_a_command_that_is_refused_leaves_nothing_to_go_on_with(tmp_path):
    path = tmp_path / "job_ids.json"
    path.write_text('{"ftjob-1": "first try"}')
    with pytest.raises(InvalidInput, match="no examples"):
        imports.import_file(path, name="Jobs")
    assert DatasetImport.objects.get().state == State.FAILED


def test_an_import_whose_failure_could_not_be_written_is_ended_later(checked):
    task = imports.start_import(checked, name="Rooms", actor=None)
    Task.objects.filter(pk=task.pk).update(state="failed", error="The disk is full.")

    imports.forget_unfinished()

    checked.refresh_from_db()
    assert (checked.state, checked.error) == (State.FAILED, "The disk is full.")


def test_bytes_that_a_kill_left_behind_are_deleted(settings):
    begun = imports.begin_upload(filename="x.jsonl", n_bytes=50, created_by=None)
    imports.receive(begun, offset=0, pieces=[b"{"])
    path = imports.path_of(begun)
    imports.forget_unfinished()
    assert path.exists()

    DatasetImport.objects.update(state="imported")
    imports.forget_unfinished()
    assert not path.exists()


def test_what_a_cancelled_import_stored_is_gone_from_the_search(checked):
    def found():
        if connection.vendor != "sqlite":  # an index of the rows themselves
            return Example.objects.count()
        with connection.cursor() as cursor:
            table = searching.TABLE
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {table} MATCH 'room'")
            return cursor.fetchone()

    before = found()
    imports.start_import(checked, name="Rooms", actor=None)
    waiting = Task.objects.filter(kind="import-rows")
    stop = At("INSERT INTO dashboard_example (", lambda: waiting.update(cancel_requested=True))
    with connection.execute_wrapper(stop):
        run_tasks()

    checked.refresh_from_db()
    assert (checked.state, Example.objects.count()) == (State.CANCELLED, 0)
    assert found() == before
