"""A worker dies, another goes on: every row is there, and once."""

import pytest
from django.db import connection

from dashboard.models import DatasetImport, DatasetVersion, Example, Task
from dashboard.services import imports, tasks
from dashboard.services.imports.rows import BATCH
from tests.dashboard.imports.conftest import row

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """What kill -9 looks like from inside: nothing is tidied up."""


class KillAt:
    """Ends the process, as it were, at the `nth` statement that stores rows."""

    def __init__(self, nth: int) -> None:
        self.left = nth

    def __call__(self, execute, sql, *args):
        if sql.startswith("INSERT INTO dashboard_example ("):
            self.left -= 1
            if not self.left:
                raise Killed
        return execute(sql, *args)


@pytest.fixture
def importing(write):
    """An import of three and a half batches that waits for its worker."""
    path = write(*map(row, range(3 * BATCH + BATCH // 2)))
    imported = DatasetImport.objects.create(
        filename=path.name, path=str(path), n_bytes=path.stat().st_size, state="received"
    )
    from dashboard.services.imports.receiving import start_check

    start_check(imported)
    tasks.run_next("a worker")
    imported.refresh_from_db()
    imports.start_import(imported, name="Rooms", actor=None, freeze=True)
    return imported


def abandon_leases() -> None:
    """Time passes: the lease of the killed worker runs out."""
    from datetime import timedelta

    from django.utils.timezone import now

    Task.objects.filter(state=Task.State.RUNNING).update(lease_until=now() - timedelta(seconds=1))


@pytest.mark.parametrize("nth", [1, 2, 4])
def test_an_import_goes_on_after_kill_9_without_doubles(importing, nth):
    with connection.execute_wrapper(KillAt(nth)), pytest.raises(Killed):
        tasks.run_next("the first")
    assert not DatasetVersion.objects.exists()
    n_stored = Example.objects.count()
    assert n_stored == (nth - 1) * BATCH

    abandon_leases()
    tasks.run_next("the second")

    importing.refresh_from_db()
    version = importing.version
    positions = list(version.examples.order_by("position").values_list("position", flat=True))
    assert positions == list(range(3 * BATCH + BATCH // 2))
    assert version.sha256 == _hash_of(version)


def test_a_worker_that_lost_its_lease_stores_nothing_more(importing):
    def take_over(execute, sql, *args):
        if sql.startswith("INSERT INTO dashboard_example ("):
            Task.objects.filter(kind="import-rows").update(worker="another")
        return execute(sql, *args)

    with connection.execute_wrapper(take_over):
        tasks.run_next("the first")

    # The batch in whose transaction the lease was still held is all there is.
    assert Example.objects.count() == BATCH
    assert importing.version is None or not importing.version.is_whole


def test_cancelling_while_rows_are_stored_deletes_them(importing):
    def ask_to_stop(execute, sql, *args):
        if sql.startswith("INSERT INTO dashboard_example ("):
            Task.objects.filter(kind="import-rows").update(cancel_requested=True)
        return execute(sql, *args)

    with connection.execute_wrapper(ask_to_stop):
        tasks.run_next("a worker")

    importing.refresh_from_db()
    assert importing.state == DatasetImport.State.CANCELLED
    assert not Example.objects.exists()
    assert not DatasetVersion.everything.exists()


def _hash_of(version: DatasetVersion) -> str:
    import hashlib

    from dashboard.services import datasets

    return hashlib.sha256("".join(datasets.lines(version)).encode()).hexdigest()
