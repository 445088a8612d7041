"""One server for all tests of a session that only need one."""

from collections.abc import Iterator

import openai
import pytest

from tests.trainerbot.modelserver.running import RunningServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A running server; under xdist each worker has its own."""
    with RunningServer(tmp_path_factory.mktemp("modelserver")) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: RunningServer) -> openai.OpenAI:
    """The SDK's client of the session's server."""
    return server.client
