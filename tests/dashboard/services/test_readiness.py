import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils.timezone import now

from dashboard.models import ProcessState
from dashboard.services import processes, readiness
from tests.factories import DatasetFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_server_here(settings) -> Iterator[None]:
    """The embedded server is wanted, and its port is free."""
    settings.OPENAI_API_KEY = settings.OPENAI_BASE_URL = settings.DISCORD_TOKEN = ""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.MODELSERVER_URL = f"http://127.0.0.1:{probe.getsockname()[1]}/v1"
        yield


def test_a_system_that_never_ran_is_not_ready():
    parts = readiness.report()
    assert parts["database"] == {"ok": True, "state": "running"}
    assert parts["worker"] == {"ok": False, "state": "never started"}
    assert parts["modelserver"] == {"ok": False, "state": "does not answer"}
    assert parts["bot"]["ok"]
    assert parts["bot"]["state"].startswith("disabled")


def test_what_should_run_and_says_so_is_ready(settings):
    settings.DISCORD_TOKEN = "token"
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    processes.report("worker", state="running")
    processes.report("bot", state="running")
    parts = readiness.report()
    assert {name: part["ok"] for name, part in parts.items()} == {
        "database": True,
        "worker": True,
        "modelserver": True,
        "bot": True,
    }
    assert parts["modelserver"]["state"].startswith("not needed")


def test_a_bot_that_should_run_and_does_not_is_named(settings):
    settings.DISCORD_TOKEN = "token"
    processes.report("bot", state="failed")
    assert readiness.report()["bot"] == {"ok": False, "state": "failed"}


def test_a_part_that_fell_silent_is_named():
    processes.report("worker", state="running")
    ProcessState.objects.update(heartbeat_at=now() - timedelta(seconds=31))
    assert readiness.report()["worker"] == {"ok": False, "state": "silent for over 30 s"}


def test_a_database_that_does_not_answer_is_reported_and_not_raised():
    def nobody_at_home(execute, sql, params, many, context):
        raise OperationalError("the server closed the connection")

    DatasetFactory()
    with connection.execute_wrapper(nobody_at_home):
        parts = readiness.report()
    assert parts["database"] == {"ok": False, "state": "does not answer"}
    assert not parts["worker"]["ok"]
