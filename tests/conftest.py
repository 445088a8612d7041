"""What more than one folder of tests needs."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from asgiref.sync import SyncToAsync
from django.conf import settings
from django.db import connection, connections
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings

from bootstrap.filelock import hold
from dashboard.services import places, providers
from tests import emptying, left_open
from tests.botrunner.running import ROOT, environ
from tests.fakes.openai_endpoint import API_KEY

if TYPE_CHECKING:
    from tests.fakes.speech import FakeSpeech

# Examples drawn the same each time and judged by what they return: never by
# how long a busy machine took over them.
hypothesis_settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.load_profile("steady")

emptying.replace_flush()
left_open.watch()


# Found, not imported: that alone takes seconds.
TRAINS = all(importlib.util.find_spec(name) for name in ("torch", "trl", "peft"))


def pytest_report_header() -> str | None:
    if TRAINS:
        return None
    return (
        "The tests marked 'train' are left out: what trains is not installed. "
        "With them: python3 run.py --with train test"
    )


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not TRAINS:
        left_out = [item for item in items if item.get_closest_marker("train")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    for item in items:
        if touches_rows(item):
            item.add_marker(pytest.mark.rows)
        if pytest_asyncio.is_async_test(item) and isinstance(item, pytest.Function):
            item.fixturenames.insert(0, "client_of_this_test")


@pytest.hookimpl(wrapper=True, tryfirst=True)  # after all fixtures have ended
def pytest_runtest_teardown() -> Iterator[None]:
    try:
        yield
    finally:
        if found := left_open.connections():
            pytest.fail("\n".join(found))


def touches_rows(item: pytest.Item) -> bool:
    """Whether a test reads or writes rows in the database of the settings."""
    case = getattr(item, "cls", None)
    return (
        item.get_closest_marker("django_db") is not None
        or not {"db", "transactional_db"}.isdisjoint(getattr(item, "fixturenames", ()))
        or (case is not None and issubclass(case, TransactionTestCase))
    )


@pytest.fixture
async def client_of_this_test() -> AsyncIterator[None]:
    """An async test owns its loop, so it closes what it asked a model with."""
    yield
    await providers.close_clients()


@pytest.fixture
async def speech_server(settings: Settings) -> AsyncIterator["FakeSpeech"]:
    """Let the services of this process be heard and spoken to by a server that the test scripts."""
    from dashboard.services.speech import spoken
    from tests.fakes.speech import FakeSpeech

    with FakeSpeech() as server:
        settings.SPEECH_BASE_URL, settings.MODELSERVER_API_KEY = server.base_url, API_KEY
        settings.SPEECH_RECOGNIZERS, settings.SPEECH_SYNTHESIZERS = ["scripted"], ["scripted"]
        spoken.forget_spoken()
        yield server
        await providers.close_speech()


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with every table and no row, made once for all workers, to be copied."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    data = shared / "migrated"
    with hold(shared / "migrated.lock", on_wait=lambda: None):
        if not data.exists():
            made = tmp_path_factory.mktemp("migrated")
            command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
            subprocess.run(command, env=environ(made), check=True)
            made.rename(data)
    return data / "trainerbot.sqlite3"


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest, django_db_modify_db_settings: None) -> bool:
    """On SQLite begin with a copy: to migrate takes each worker five seconds."""
    if connection.vendor != "sqlite":
        return bool(request.config.getvalue("reuse_db"))
    migrated = request.getfixturevalue("migrated_database")
    shutil.copy(migrated, connection.settings_dict["TEST"]["NAME"])
    return True


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Close what async tests leave open, since PostgreSQL drops no database that is in use."""
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture
def database_for_processes(transactional_db: None) -> str:
    """The DATABASE_URL under which another process sees the rows of this test."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        assert "memory" not in str(at["NAME"]), "tests/settings.py names a file for this"
        return f"sqlite:///{at['NAME']}"
    from urllib.parse import quote

    who = ":".join(quote(part, safe="") for part in (at["USER"], at["PASSWORD"]) if part)
    return f"postgres://{who}@{at['HOST'] or 'localhost'}:{at['PORT'] or 5432}/{at['NAME']}"


@pytest.fixture(autouse=True)
def short_pauses() -> None:
    """Where the SDK is loaded, let it try again soon: by itself it waits for half a second."""
    if sdk := sys.modules.get("openai._base_client"):
        sdk.INITIAL_RETRY_DELAY = 0.01  # type: ignore[attr-defined]  # a module is not known by name


@pytest.fixture(autouse=True)
def no_leftovers_of_another_test() -> None:
    """The data folder belongs to this test run alone."""
    assert "trainerbot-tests-" in str(settings.DATA_DIR)
    # Factories write settings beside the services.
    places.forget()
