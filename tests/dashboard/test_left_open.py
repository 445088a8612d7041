"""What fails a test whose threads leave connections to the database open."""

import threading
from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection

from tests import left_open

pytestmark = pytest.mark.django_db(transaction=True)


def started(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, name="of the test")
    thread.start()
    return thread


def test_a_thread_that_ended_without_closing_its_connection_is_named():
    opened = []

    def forgetful() -> None:
        User.objects.count()
        opened.append(connection.connection)

    started(forgetful).join()

    [found] = left_open.connections()
    assert "'of the test'" in found
    assert "test_a_thread_that_ended_without_closing_its_connection_is_named" in found
    assert found.endswith("and the thread has ended.")
    # Told of once, and nobody's any more.
    assert left_open.connections() == []
    with pytest.raises(connection.Database.Error):
        opened[0].cursor()


def test_a_thread_that_keeps_its_connection_beyond_its_test_is_named():
    opened, end = threading.Event(), threading.Event()

    def endless() -> None:
        User.objects.count()
        opened.set()
        end.wait()

    thread = started(endless)
    opened.wait()

    [found] = left_open.connections(patience_s=0.0)
    assert found.endswith("and the thread still runs.")
    end.set()
    thread.join()


def test_a_thread_that_is_about_to_end_is_waited_for():
    opened, end = threading.Event(), threading.Event()

    def tidy() -> None:
        User.objects.count()
        opened.set()
        end.wait()
        connection.close()

    started(tidy)
    opened.wait()
    threading.Timer(0.02, end.set).start()

    assert left_open.connections() == []


async def test_the_threads_of_the_process_keep_theirs():
    @sync_to_async
    def is_open() -> bool:
        User.objects.count()
        return connection.connection is not None

    assert await is_open()
    assert left_open.connections() == []
    assert await is_open()
