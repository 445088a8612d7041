"""An OpenAI-shaped endpoint on a loopback port, for whatever speaks to one."""

from collections.abc import Iterator

import pytest

from tests.fakes.openai_endpoint import API_KEY, FakeOpenAI
from trainerbot.endpoints import Endpoint


@pytest.fixture(scope="session")
def running_endpoint() -> Iterator[FakeOpenAI]:
    """One server for all tests: starting and stopping take longer than most of them."""
    with FakeOpenAI() as running:
        yield running


@pytest.fixture
def fake(running_endpoint: FakeOpenAI) -> FakeOpenAI:
    """The endpoint, as if just started."""
    running_endpoint.reset()
    return running_endpoint


@pytest.fixture
def endpoint(fake: FakeOpenAI) -> Endpoint:
    """The way to it, with little patience."""
    return Endpoint("Fake", fake.base_url, API_KEY, timeout_s=60.0, max_retries=0)
