"""pytest's plugin for OpenAI's tests: starts the server, and has it seeded before each test.

Loaded by name (`-p conformance_plugin`) into a run in the folder of those
tests, where the package `tests` is theirs and nothing of ours can be imported.
"""

import os

import pytest
from running import SeededServer, ServerEnded

_running: list[SeededServer] = []


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start the server before the tests' own settings read its address."""
    server = SeededServer()
    _running.append(server)
    os.environ["TEST_API_BASE_URL"] = server.url


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the server."""
    for server in _running:
        server.end()


@pytest.fixture(autouse=True)
def seeded(request: pytest.FixtureRequest) -> None:
    """The rows that the test asks for."""
    try:
        _running[0].seed(request.node.name)
    except ServerEnded as ended:
        pytest.exit(f"The model server of the conformance tests ended:\n{ended}", returncode=3)
